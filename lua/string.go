package lua

import (
	"hash/maphash"
	"math/bits"
	"strings"
)

// hashSeed is drawn once per process and never leaves it.
var hashSeed = maphash.MakeSeed()

// sampledHash is the length above which a string's hash covers its two ends
// only. Such a hash has bit 0 set: tables then hash the whole content, so that
// crafted long keys cannot collide.
const sampledHash = 64

func hashString(s string) uint64 {
	if len(s) <= sampledHash {
		return maphash.String(hashSeed, s) &^ 1
	}
	head := maphash.String(hashSeed, s[:32])
	tail := maphash.String(hashSeed, s[len(s)-32:])
	return (head ^ bits.RotateLeft64(tail, 17) + uint64(len(s))*0x9E3779B97F4A7C15) | 1
}

// makeString returns a new string object, not charged to any state.
func makeString(s string) Value {
	o := &String{header: header{kind: KindString}, s: s}
	return Value{&o.header, hashString(s)}
}

// copyString is makeString of a copy of s. Up to shortString bytes the copy is part of
// the object: one allocation instead of two.
func copyString(s string) Value {
	var o *String
	var b []byte
	switch n := len(s); {
	case n <= 8:
		x := new(struct {
			String
			b [8]byte
		})
		o, b = &x.String, x.b[:n]
	case n <= 24:
		x := new(struct {
			String
			b [24]byte
		})
		o, b = &x.String, x.b[:n]
	case n <= shortString:
		x := new(struct {
			String
			b [shortString]byte
		})
		o, b = &x.String, x.b[:n]
	default:
		return makeString(strings.Clone(s))
	}
	copy(b, s)
	o.kind, o.s = KindString, bytesString(b, true)
	return Value{&o.header, hashString(o.s)}
}

// makeShared returns a new string object that no walk enters or counts.
func makeShared(s string) Value {
	o := &String{header: header{kind: KindString, flags: flagShared}, s: s}
	return Value{&o.header, hashString(s)}
}

// internConstant returns a constant of compiled code. Names of the standard
// library are one object per process, so that a look-up in a library table
// finds its key by pointer.
func internConstant(s string) Value {
	if v, ok := knownNames[s]; ok {
		return v
	}
	return makeShared(s)
}

// event is a metamethod; the order is fixed by eventNames.
type event uint8

const (
	evIndex event = iota
	evNewindex
	evCall
	evAdd // the arithmetic events are in the order of opADD .. opSHR
	evSub
	evMul
	evMod
	evPow
	evDiv
	evIDiv
	evBAnd
	evBOr
	evBXor
	evShl
	evShr
	evUnm
	evBNot
	evConcat
	evLen
	evEq
	evLt
	evLe
	evClose
	evGC
	evMode
	evName
	evToString
	evPairs
	evMetatable
	eventCount
)

var eventStrings = [eventCount]string{
	"__index", "__newindex", "__call", "__add", "__sub", "__mul", "__mod", "__pow", "__div", "__idiv",
	"__band", "__bor", "__bxor", "__shl", "__shr", "__unm", "__bnot", "__concat", "__len", "__eq",
	"__lt", "__le", "__close", "__gc", "__mode", "__name", "__tostring", "__pairs", "__metatable",
}

// knownNames are the strings that exist once per process.
var knownNames = makeKnownNames()

// eventNames are the metamethod names as values.
var eventNames = makeEventNames()

func makeEventNames() (names [eventCount]Value) {
	for i, s := range eventStrings {
		names[i] = knownNames[s]
	}
	return names
}

func makeKnownNames() map[string]Value {
	names := map[string]Value{}
	for _, s := range eventStrings {
		names[s] = makeShared(s)
	}
	for _, s := range libraryNames {
		if _, ok := names[s]; !ok {
			names[s] = makeShared(s)
		}
	}
	return names
}

// libraryNames are the names of the standard library's tables and functions.
var libraryNames = []string{
	"", "_ENV", "_G", "_VERSION", "n",
	"assert", "collectgarbage", "dofile", "error", "getmetatable", "ipairs", "load", "loadfile", "next", "pairs",
	"pcall", "print", "rawequal", "rawget", "rawlen", "rawset", "require", "select", "setmetatable", "tonumber",
	"tostring", "type", "warn", "xpcall",
	"coroutine", "create", "isyieldable", "resume", "running", "status", "wrap", "yield", "close",
	"string", "byte", "char", "dump", "find", "format", "gmatch", "gsub", "len", "lower", "match", "pack", "packsize",
	"rep", "reverse", "sub", "unpack", "upper",
	"table", "concat", "insert", "move", "remove", "sort",
	"math", "abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod", "huge", "log", "max",
	"maxinteger", "min", "mininteger", "modf", "pi", "rad", "random", "randomseed", "sin", "sqrt", "tan",
	"tointeger", "ult",
	"utf8", "charpattern", "codepoint", "codes", "offset",
	"os", "clock", "date", "difftime", "execute", "exit", "getenv", "rename", "setlocale", "time", "tmpname",
	"io", "input", "lines", "open", "output", "popen", "read", "stderr", "stdin", "stdout", "tmpfile", "write",
	"flush", "seek", "setvbuf",
	"package", "loaded", "path", "preload", "searchers", "searchpath", "config",
	"debug", "getinfo", "getlocal", "getupvalue", "setlocal", "setupvalue", "traceback", "upvalueid", "upvaluejoin",
	"nil", "boolean", "number", "function", "thread", "userdata", "suspended", "running", "normal", "dead",
	"year", "month", "day", "hour", "min", "sec", "wday", "yday", "isdst",
	"source", "short_src", "what", "currentline", "linedefined", "lastlinedefined", "name", "namewhat", "nups",
	"nparams", "isvararg", "istailcall", "func", "activelines", "integer", "float", "file", "closed file",
}

// hashLong is the hash tables use for keys longer than sampledHash.
func hashLong(s string) uint64 { return maphash.String(hashSeed, s) }
