package lua

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// pick returns a random element.
func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func randomText(r *rand.Rand, parts []string, n int) string {
	var b strings.Builder
	for range r.IntN(n) {
		b.WriteString(pick(r, parts))
	}
	return b.String()
}

// randomPattern returns a pattern that is mostly well formed.
func randomPattern(r *rand.Rand) string {
	return randomText(r, []string{
		"a", "b", ".", "%a", "%d", "%s", "%W", "[ab]", "[^a]", "[a-c1]", "[%d-]", "*", "+", "-", "?", "a*", "b-", ".-", "%w+",
		"(", ")", "()", "(a)", "(.)", "%1", "%2", "%b()", "%f[%a]", "^", "$", "%.", "[", "%", "[]]", "x", "(b*)",
	}, 7)
}

// TestLibraryRandom compares random calls with lua5.4.
func TestLibraryRandom(t *testing.T) {
	t.Parallel()
	const n = 1500
	generators := map[string]func(r *rand.Rand) string{
		"find": func(r *rand.Rand) string {
			subject := randomText(r, []string{"a", "b", "c", " ", "1", "(", ")", "x", "."}, 12)
			return fmt.Sprintf("(%s):find(%s, %d)", luaQuote(subject), luaQuote(randomPattern(r)), r.IntN(8)-3)
		},
		"gsub": func(r *rand.Rand) string {
			subject := randomText(r, []string{"a", "b", "c", " ", "1", "(", ")", "x", "."}, 12)
			replacement := pick(r, []string{`"<%0>"`, `"%1"`, `"%2%1"`, `"x"`, `"%%"`, `{a = "A", b = false}`, `function(...) return select("#", ...) end`})
			return fmt.Sprintf("(%s):gsub(%s, %s)", luaQuote(subject), luaQuote(randomPattern(r)), replacement)
		},
		"gmatch": func(r *rand.Rand) string {
			subject := randomText(r, []string{"a", "b", "c", " ", "1", "("}, 12)
			return fmt.Sprintf(`(function() local t = {} for a, b in (%s):gmatch(%s) do t[#t + 1] = tostring(a) .. "," .. tostring(b) end return table.concat(t, ";") end)()`,
				luaQuote(subject), luaQuote(randomPattern(r)))
		},
		"format": func(r *rand.Rand) string {
			spec := "%" + randomText(r, []string{"-", "+", " ", "#", "0"}, 3) + pick(r, []string{"", "", "5", "12", "20", "123"}) +
				pick(r, []string{"", "", ".", ".0", ".3", ".10", ".100"}) + pick(r, strings.Split("d i u o x X c e E f g G a A s", " "))
			return fmt.Sprintf("string.format(%q, %s)", spec, pick(r, []string{
				"0", "1", "-1", "42", "65", "-123456", "1 << 40", "math.mininteger", "0.0", "1.5", "-0.0", "0.1", "1e100", "-1e-100", "3.0", "2.5", "1/3", "1/0", "123456.789",
				`"10"`, `"abc"`, "5e-324", "1e15", "0.5", "99999.5",
			}))
		},
		"pack": func(r *rand.Rand) string {
			format := randomText(r, []string{"<", ">", "=", "!4", "!8", "!", "b", "B", "h", "H", "i3", "I5", "i4", "j", "J", "f", "d", "n", "s1", "s2", "z", "c3", "x", "Xi4", "Xd", "i16", " "}, 7)
			args := randomText(r, []string{", 1", ", -1", ", 127", ", 200", ", 'ab'", ", 'abc'", ", 2.0", ", 300"}, 7)
			return fmt.Sprintf("string.pack(%q, 1, 2, 3, 'a'), pcall(string.packsize, %q), pcall(string.pack, %q%s)", format, format, format, args)
		},
		"unpack": func(r *rand.Rand) string {
			format := randomText(r, []string{"<", ">", "!4", "b", "B", "h", "i3", "I5", "i4", "j", "f", "s1", "z", "c3", "x", "Xi4", "i9"}, 5)
			data := randomText(r, []string{"\\0", "\\1", "\\255", "a", "\\2"}, 14)
			return fmt.Sprintf(`string.unpack(%q, "%s", %d)`, format, data, r.IntN(4))
		},
		"date": func(r *rand.Rand) string {
			return fmt.Sprintf(`os.date("!%%c %%j %%U %%V %%W %%G %%g %%u %%w %%y %%C %%I %%p", %d)`, r.Int64N(1<<38)-1<<34)
		},
		"time": func(r *rand.Rand) string {
			n := func() int { return r.IntN(400) - 200 }
			return fmt.Sprintf(`(function() local t = {year = %d, month = %d, day = %d, hour = %d, min = %d, sec = %d} return os.time(t), t.year, t.month, t.day, t.hour, t.min, t.sec, t.yday, t.wday end)()`,
				1970+n(), n(), n(), n(), n(), n())
		},
		"sort": func(r *rand.Rand) string {
			var list []string
			for range r.IntN(40) {
				list = append(list, fmt.Sprint(r.IntN(20)))
			}
			return fmt.Sprintf(`(function() local t, u, n = {}, {%s}, 0 for i, v in ipairs(u) do t[i] = {v, i} end table.sort(t, function(a, b) n = n + 1 return a[1] < b[1] end) for i, v in ipairs(t) do t[i] = v[1] .. ":" .. v[2] end return n, table.concat(t, " ") end)()`,
				strings.Join(list, ", "))
		},
		"utf8": func(r *rand.Rand) string {
			s := randomText(r, []string{"a", "\\xc3\\xa9", "\\xe2\\x82\\xac", "\\xf0\\x9f\\x98\\x80", "\\x80", "\\xff", "\\xed\\xa0\\x80", "\\xc3"}, 6)
			return fmt.Sprintf(`utf8.len("%s"), pcall(utf8.offset, "%s", %d), pcall(utf8.codepoint, "%s", %d, %d)`, s, s, r.IntN(6)-3, s, r.IntN(3)+1, r.IntN(5))
		},
	}
	for name, generate := range generators {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, uint64(len(name))))
			cases := make([]libCase, n)
			for i := range cases {
				cases[i].source = generate(r)
			}
			program := libProgram(cases)
			want := oracle(t, program)
			out, err := runProgram(t, program, Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			if len(got) != len(want) {
				t.Fatalf("%d lines, lua5.4 %d", len(got), len(want))
			}
			bad := 0
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("%s\n got %s\nwant %s", cases[i].source, got[i], want[i])
					if bad++; bad == 10 {
						t.Fatal("and more")
					}
				}
			}
		})
	}
}

// luaQuote quotes a string without control characters.
func luaQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
