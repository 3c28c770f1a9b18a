print("a\tb\\n\"'\65\066\x41\u{48}\u{20AC}\z
      joined", 'single "quotes"', "\a\b\f\v" == "\7\8\12\11")
print([[long
string]], [==[with ]] inside]==], [[
first newline skipped]], #[[

x]])
print("line1\
line2", "\0zero" == "\x00zero", #"\0\0", "\255\254" == "\xff\xfe")
print(#"\u{7FFFFFFF}", #"\u{10FFFF}", #"\u{0}", "\u{7f}" == "\x7f")
print("a\z   b", 'it\'s', "tab\9end", "\1234" == "{4")
print(1 --[[comment]] + --[==[ multi
line ]==] 2) -- trailing
--[[ block
comment ]] print("after block")
---[[ not a block
print("still code")
--]]
print(#"\r\n", "a\
b" == "a\nb")
