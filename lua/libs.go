package lua

// libFunc is a row of a library: a function and its name in the library's
// table. Its permanent name is "library.name".
type libFunc struct {
	name string
	fn   GoFunc
}

// libConst is a value in a library's table: a string, int64 or float64.
type libConst struct {
	name  string
	value any
}

// library is one standard library. Its functions and constants are shared by
// all states of the process; setup adds what belongs to one state.
type library struct {
	name   string
	funcs  []libFunc
	consts []libConst
	setup  func(s *State, t *Table)
	level  libLevel
}

// libLevel tells which Stdlib settings leave a library out.
type libLevel uint8

const (
	levelBasic    libLevel = iota // in StdlibBasic and StdlibStandard
	levelStandard                 // in StdlibStandard only
)

// stdLibraries returns the libraries beside base and coroutine, package last:
// its setup records the others in package.loaded.
func stdLibraries(level Stdlib) []library {
	if level == StdlibNone {
		return nil
	}
	os := library{name: "os", funcs: osLib}
	if level == StdlibBasic {
		os.funcs = osTimeLib
	}
	all := []library{
		{name: "string", funcs: stringLib},
		{name: "table", funcs: tableLib},
		{name: "math", funcs: mathLib, consts: mathConsts, setup: setupMath},
		{name: "utf8", funcs: utf8Lib, consts: utf8Consts},
		os,
		{name: "io", funcs: ioLib, setup: setupIO, level: levelStandard},
		{name: "debug", funcs: debugLib, level: levelStandard},
		{name: "package", funcs: packageLib, setup: setupPackage, level: levelStandard},
	}
	if level == StdlibStandard {
		return all
	}
	var basic []library
	for _, l := range all {
		if l.level == levelBasic {
			basic = append(basic, l)
		}
	}
	return basic
}

// libState is what the libraries keep in a state.
type libState struct {
	rng           xoshiro
	matcher       *matcher      // of calls that run no Lua; nil before the first
	substitution  *substitution // of a gsub that is done, for the next
	pointers      uint64        // long strings shown by %p
	input, output Ref           // default files of io
	dirty         []*luaFile    // files with unwritten output
	loaded        Ref           // package.loaded
	preload       Ref           // package.preload
	packageTable  Ref           // the package table, whose path and searchers require reads
}
