package lua

import (
	"slices"
	"testing"
)

func lexAll(src string) (kinds []tokenKind, vals []constant, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = r.(*SyntaxError)
		}
	}()
	l := &lexer{chunk: "lex", src: src, line: 1}
	for {
		t := l.next()
		if t.kind == tokEOF {
			return kinds, vals, nil
		}
		kinds, vals = append(kinds, t.kind), append(vals, t.val)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for src, want := range map[string][]tokenKind{
		"a.b..c...d":                      {tokName, '.', tokName, tokConcat, tokName, tokDots, tokName},
		"a<b<=c<<d":                       {tokName, '<', tokName, tokLE, tokName, tokShl, tokName},
		"a>b>=c>>d":                       {tokName, '>', tokName, tokGE, tokName, tokShr, tokName},
		"=== ~= ~ =":                      {tokEQ, '=', tokNE, '~', '='},
		"/ // ///":                        {'/', tokIDiv, tokIDiv, '/'},
		": :: :::":                        {':', tokDoubleColon, tokDoubleColon, ':'},
		"end ends":                        {tokEnd, tokName},
		"1 1.0 .5 3":                      {tokInteger, tokFloat, tokFloat, tokInteger},
		"--x\n1--[[y\n]]2--[==[ ]] ]==]3": {tokInteger, tokInteger, tokInteger},
		"[[a]] 'b' \"c\" [=[d]=] [":       {tokString, tokString, tokString, tokString, '['},
		"\xff\x01":                        {0xff, 1},
	} {
		if kinds, _, err := lexAll(src); err != nil || !slices.Equal(kinds, want) {
			t.Errorf("%q: got %v, %v; want %v", src, kinds, err, want)
		}
	}
}

func TestLiterals(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]constant{
		"3":                      numberConstant(Integer(3)),
		"0x7fffffffffffffff":     numberConstant(Integer(1<<63 - 1)),
		"0xffffffffffffffff":     numberConstant(Integer(-1)),
		"0x1ffffffffffffffff":    numberConstant(Integer(-1)),
		"9223372036854775808":    numberConstant(Float(1 << 63)),
		"3.25e1":                 numberConstant(Float(32.5)),
		"0x.8p1":                 numberConstant(Float(1)),
		"0xA.8":                  numberConstant(Float(10.5)),
		`'a\tb'`:                 stringConstant("a\tb"),
		`"\x41\65\u{48}\z   !"`:  stringConstant("AAH!"),
		`'\u{7FFFFFFF}'`:         stringConstant("\xfd\xbf\xbf\xbf\xbf\xbf"),
		`'\u{20AC}\u{7f}\u{80}'`: stringConstant("€\x7f\u0080"),
		"'a\\\r\nb'":             stringConstant("a\nb"),
		"[[\r\na\n\rb\rc]]":      stringConstant("a\nb\nc"),
		"[==[]]]=]]==]":          stringConstant("]]]=]"),
		"'\\0001'":               stringConstant("\x001"),
	} {
		if _, vals, err := lexAll(src); err != nil || len(vals) != 1 || vals[0] != want {
			t.Errorf("%s: got %v, %v; want %v", src, vals, err, want)
		}
	}
}
