package data

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
)

const (
	maxExpression = 10_000 // bytes
	maxNesting    = 100
)

// evaluate computes an expression over int64, float64 and bool. Grammar, from
// loose to tight; comparison does not chain, '^' groups to the right:
//
//	comparison = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
//	sum        = product { ("+" | "-") product }
//	product    = unary { ("*" | "/" | "%") unary }
//	unary      = ("-" | "+") unary | power
//	power      = atom [ "^" unary ]
//	atom       = number | name | function "(" comparison { "," comparison } ")" | "(" comparison ")"
func evaluate(text string, variables map[string]any) (any, error) {
	if len(text) > maxExpression {
		return nil, fault.Errorf(fault.ToolFailed, "the expression is longer than %d bytes", maxExpression)
	}
	p := &parser{text: text, variables: variables}
	v, err := p.comparison()
	if err != nil {
		return nil, err
	}
	if p.peek() != 0 {
		return nil, p.unexpected("an operator")
	}
	return v, nil
}

type parser struct {
	text      string
	at        int
	depth     int
	variables map[string]any
}

// peek skips white space and returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) accept(tokens ...string) string {
	p.peek()
	for _, t := range tokens {
		if strings.HasPrefix(p.text[p.at:], t) {
			p.at += len(t)
			return t
		}
	}
	return ""
}

func (p *parser) errorf(at int, format string, args ...any) error {
	e := fault.Errorf(fault.ToolFailed, format, args...)
	column := utf8.RuneCountInString(p.text[:at]) + 1
	e.Message += " at column " + strconv.Itoa(column)
	return e.WithDetail("column", int64(column))
}

func (p *parser) unexpected(want string) error {
	if p.peek() == 0 {
		return p.errorf(p.at, "the expression ends early, expected %s", want)
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.at:])
	return p.errorf(p.at, "unexpected %q, expected %s", r, want)
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxNesting {
		return p.errorf(p.at, "the expression nests deeper than %d", maxNesting)
	}
	return nil
}

func (p *parser) comparison() (any, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	at := p.at
	op := p.accept("==", "!=", "<=", ">=", "<", ">")
	if op == "" {
		return left, nil
	}
	right, err := p.sum()
	if err != nil {
		return nil, err
	}
	v, ok := compare(op, left, right)
	if !ok {
		return nil, p.errorf(at, "cannot compare %s %s %s", typeOf(left), op, typeOf(right))
	}
	return v, nil
}

func (p *parser) sum() (any, error) { return p.chain(p.product, "+", "-") }

func (p *parser) product() (any, error) { return p.chain(p.unary, "*", "/", "%") }

// chain parses operands joined by left-associative operators.
func (p *parser) chain(operand func() (any, error), ops ...string) (any, error) {
	left, err := operand()
	for err == nil {
		at := p.at
		op := p.accept(ops...)
		if op == "" {
			return left, nil
		}
		var right any
		if right, err = operand(); err == nil {
			left, err = p.apply(at, op, left, right)
		}
	}
	return nil, err
}

func (p *parser) unary() (any, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	p.peek()
	at := p.at
	op := p.accept("-", "+")
	if op == "" {
		return p.power()
	}
	v, err := p.unary()
	if err != nil || op == "+" && isNumber(v) {
		return v, err
	}
	return p.apply(at, op, int64(0), v)
}

func (p *parser) power() (any, error) {
	base, err := p.atom()
	if err != nil {
		return nil, err
	}
	at := p.at
	if p.accept("^") == "" {
		return base, nil
	}
	exponent, err := p.unary()
	if err != nil {
		return nil, err
	}
	return p.apply(at, "^", base, exponent)
}

func (p *parser) atom() (any, error) {
	switch c := p.peek(); {
	case c == '(':
		p.at++
		v, err := p.comparison()
		if err != nil {
			return nil, err
		}
		if p.accept(")") == "" {
			return nil, p.unexpected(`")"`)
		}
		return v, nil
	case c >= '0' && c <= '9' || c == '.':
		return p.number()
	case isLetter(c):
		return p.name()
	}
	return nil, p.unexpected("a number, a name or \"(\"")
}

func (p *parser) number() (any, error) {
	start := p.at
	digits := func() {
		for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
			p.at++
		}
	}
	digits()
	integer := true
	if p.at < len(p.text) && p.text[p.at] == '.' {
		integer = false
		p.at++
		digits()
	}
	if mark := p.at; mark < len(p.text) && (p.text[mark] == 'e' || p.text[mark] == 'E') {
		p.at++
		if p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		from := p.at
		if digits(); p.at == from {
			p.at = mark // "2e" is 2 followed by a name
		} else {
			integer = false
		}
	}
	text := p.text[start:p.at]
	if p.at < len(p.text) && isLetter(p.text[p.at]) {
		return nil, p.errorf(start, "malformed number %q", text+p.text[p.at:p.at+1])
	}
	if integer {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, p.errorf(start, "malformed number %q", text)
	}
	return f, nil
}

func isLetter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (p *parser) name() (any, error) {
	start := p.at
	for p.at < len(p.text) && (isLetter(p.text[p.at]) || p.text[p.at] >= '0' && p.text[p.at] <= '9') {
		p.at++
	}
	name := p.text[start:p.at]
	if p.peek() == '(' {
		return p.call(start, name)
	}
	if v, ok := p.variables[name]; ok {
		return v, nil
	}
	switch name {
	case "pi":
		return math.Pi, nil
	case "e":
		return math.E, nil
	case "true", "false":
		return name == "true", nil
	}
	return nil, p.errorf(start, "unknown name %q", name)
}

func (p *parser) call(start int, name string) (any, error) {
	i := slices.IndexFunc(functions, func(f function) bool { return f.name == name })
	if i < 0 {
		return nil, p.errorf(start, "unknown function %q", name)
	}
	p.at++ // "("
	var args []any
	for p.peek() != ')' || len(args) > 0 {
		v, err := p.comparison()
		if err != nil {
			return nil, err
		}
		if !isNumber(v) {
			return nil, p.errorf(start, "%s takes numbers, got %s", name, typeOf(v))
		}
		args = append(args, v)
		if p.accept(",") == "" {
			break
		}
	}
	if p.accept(")") == "" {
		return nil, p.unexpected(`")" or ","`)
	}
	f := functions[i]
	if len(args) < f.min || len(args) > f.max {
		return nil, p.errorf(start, "%s takes %s, got %d", name, f.arity(), len(args))
	}
	return p.finite(start, f.do(args))
}

func (p *parser) apply(at int, op string, a, b any) (any, error) {
	if !isNumber(a) || !isNumber(b) {
		return nil, p.errorf(at, "%q takes numbers, got %s and %s", op, typeOf(a), typeOf(b))
	}
	if (op == "/" || op == "%") && float(b) == 0 {
		return nil, p.errorf(at, "division by zero")
	}
	return p.finite(at, arithmetic(op, a, b))
}

func (p *parser) finite(at int, v any) (any, error) {
	if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return nil, p.errorf(at, "the value is not finite")
	}
	return v, nil
}
