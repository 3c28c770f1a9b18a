package lua

// The syntax tree. Every node has the position of its first token, except
// binExpr, which has its operator's. Names are bound while parsing (resolve.go).

// constant is a value known at compile time. Two are equal if they are the same
// Lua value of the same subtype (0.0 and -0.0 differ).
type constant struct {
	kind Kind // up to KindString
	n    uint64
	s    string
}

func numberConstant(v Value) constant  { return constant{kind: v.Kind(), n: v.n} }
func stringConstant(s string) constant { return constant{kind: KindString, s: s} }
func (c constant) isNumber() bool      { return c.kind == KindInt || c.kind == KindFloat }
func (c constant) truthy() bool        { return c.kind != KindNil && c.kind != KindFalse }
func booleanConstant(b bool) (c constant) {
	if b {
		return constant{kind: KindTrue}
	}
	return constant{kind: KindFalse}
}

// number returns a numeric constant as a Value.
func (c constant) number() Value {
	if c.kind == KindInt {
		return Integer(int64(c.n))
	}
	return Value{&statics[KindFloat], c.n}
}

type expr interface{ at() pos }

type stat interface{ at() pos }

type block struct {
	stats []stat
}

// The attributes of a local variable.
const (
	attribRegular uint8 = iota
	attribConst
	attribClose
)

// local is a local variable, also a parameter or a hidden loop variable.
type local struct {
	pos
	name     string
	attrib   uint8
	captured bool      // a nested function refers to it
	konst    *constant // compile-time constant: takes no register
	shadowed *local    // the variable of that name this one hides
	owner    *functionScope
	index    int   // among the active variables of its function
	reg      uint8 // set by the compiler
}

// Expressions.
type (
	constExpr struct {
		pos
		val constant
	}
	varargExpr struct{ pos }

	// nameExpr is a variable. Exactly one holds: env != nil, a global, the field
	// name of env; upvalue >= 0, an upvalue of the current function; else a local
	// of the current function or a compile-time constant.
	nameExpr struct {
		pos
		name    string
		local   *local
		env     *nameExpr
		upvalue int
	}
	indexExpr struct {
		pos
		obj, key expr
		dot      bool  // written obj.key
		line     int32 // of the key's last token
		depth    int32
	}
	callExpr struct {
		pos
		fn     expr
		method string // not "": fn:method(args)
		nameAt int32  // line of the method name
		args   []expr
		end    int32 // line of the last token
		depth  int32
	}
	functionExpr struct {
		pos
		name     string // as declared: "a.b:c", "" for an anonymous one
		params   []*local
		isVararg bool
		body     block
		upvals   []upvalDesc
		captures []*local // the variable behind each upvalue
		end      int32    // line of "end"
		depth    int32
	}
	binExpr struct {
		pos   // of the operator
		op    binOp
		l, r  expr
		end   int32 // line of the last token
		konst *constant
		depth int32
	}
	unExpr struct {
		pos
		op    unOp
		x     expr
		konst *constant
		depth int32
	}
	parenExpr struct {
		pos
		x     expr
		depth int32
	}
	tableExpr struct {
		pos
		items []tableItem
		end   int32 // line of "}"
		depth int32
	}
)

// tableItem is an item of a constructor; key is nil for a positional one.
type tableItem struct {
	key, val expr
}

// Statements.
type (
	localStat struct {
		pos
		vars  []*local
		exprs []expr
		end   int32 // line of the last token
	}
	assignStat struct {
		pos
		targets, exprs []expr
		end            int32
	}
	callStat struct {
		pos
		call *callExpr
	}
	doStat struct {
		pos
		body block
	}
	whileStat struct {
		pos
		cond expr
		body block
		end  int32 // line of "end"
	}
	repeatStat struct {
		pos
		body block
		cond expr
		end  int32 // line of the condition's last token
	}
	ifStat struct {
		pos
		clauses []ifClause
		orElse  *block // nil without else
	}
	numericForStat struct {
		pos
		hidden             [3]*local
		v                  *local
		start, limit, step expr // step may be nil
		body               block
		do, end            int32 // lines of the keywords
	}
	genericForStat struct {
		pos
		hidden  [4]*local
		vars    []*local
		exprs   []expr
		body    block
		in      int32 // line of the first expression
		do, end int32 // lines of the keywords
	}
	functionStat struct {
		pos
		target expr
		fn     *functionExpr
	}
	localFunctionStat struct {
		pos
		v  *local
		fn *functionExpr
	}
	returnStat struct {
		pos
		exprs []expr
		end   int32
	}
	breakStat struct{ pos }
	gotoStat  struct {
		pos
		name   string
		target *labelStat
	}
	labelStat struct {
		pos
		name    string
		nactive int // variables of the function active at the label
	}
)

// ifClause is "if" or "elseif" with its block.
type ifClause struct {
	cond expr
	body block
}

type unOp uint8

const (
	unMinus unOp = iota
	unBNot
	unNot
	unLen
)

type binOp uint8

// The arithmetic operators are in the order of their instructions.
const (
	binAdd binOp = iota
	binSub
	binMul
	binMod
	binPow
	binDiv
	binIDiv
	binBAnd
	binBOr
	binBXor
	binShl
	binShr
	binConcat
	binEQ
	binNE
	binLT
	binLE
	binGT
	binGE
	binAnd
	binOr
	binNone
)

// depthOf returns the height of the tree under e.
func depthOf(e expr) int32 {
	switch e := e.(type) {
	case *indexExpr:
		return e.depth
	case *callExpr:
		return e.depth
	case *functionExpr:
		return e.depth
	case *binExpr:
		return e.depth
	case *unExpr:
		return e.depth
	case *parenExpr:
		return e.depth
	case *tableExpr:
		return e.depth
	}
	return 0
}

// isMulti reports whether e can have any number of values.
func isMulti(e expr) bool {
	switch e.(type) {
	case *callExpr, *varargExpr:
		return true
	}
	return false
}

// constOf returns the compile-time value of e, if it has one.
func constOf(e expr) (constant, bool) {
	var k *constant
	switch e := e.(type) {
	case *constExpr:
		k = &e.val
	case *nameExpr:
		if e.local != nil && e.upvalue < 0 {
			k = e.local.konst
		}
	case *binExpr:
		k = e.konst
	case *unExpr:
		k = e.konst
	case *parenExpr:
		return constOf(e.x)
	}
	if k == nil {
		return constant{}, false
	}
	return *k, true
}
