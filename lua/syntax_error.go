package lua

import "strconv"

// SyntaxError is the error Compile returns. Error() is C Lua's message:
// `name:line: unexpected symbol near 'x'`.
type SyntaxError struct {
	Chunk      string // printable chunk name
	Line, Col  int    // 1-based; Col counts bytes
	Msg        string // without position
	Near       string // offending token as shown, quotes included; "" at none
	Incomplete bool   // the source ends where more could follow: a REPL asks for another line
}

// stackOverflow is the message for too deep nesting; C Lua gives it no
// position.
const stackOverflow = "C stack overflow"

func (e *SyntaxError) Error() string {
	if e.Line == 0 || e.Msg == stackOverflow {
		return e.Msg
	}
	s := e.Chunk + ":" + strconv.Itoa(e.Line) + ": " + e.Msg
	if e.Near != "" {
		s += " near " + e.Near
	}
	return s
}
