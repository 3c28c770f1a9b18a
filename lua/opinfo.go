package lua

// operand is the role of an operand, which verify checks and the disassembler
// shows.
type operand uint8

const (
	noOperand  operand = iota
	register           // R[x]
	upvalue            // U[x]
	shortConst         // K[x], x < 256
	count              // of values, registers or arguments
	boolFlag           // 0 or 1
	constIndex         // D: K[D]
	keyAndHint         // D: key constant and hint slot
	jumpOffset         // D: distance
	integerKey         // D: integer
	protoIndex         // D: nested function
	tableSizes         // D: array items and fields
	firstIndex         // D: items before these
)

// opInfo describes an instruction's operands.
type opInfo struct {
	name       string
	a, b, c, d operand
}

// opInfos is the one description of the instruction set that the disassembler
// and verify use.
var opInfos = [opcodeCount]opInfo{
	opMOVE:     {"MOVE", register, register, noOperand, noOperand},
	opLOADK:    {"LOADK", register, noOperand, noOperand, constIndex},
	opLOADNIL:  {"LOADNIL", register, count, noOperand, noOperand},
	opGETUPVAL: {"GETUPVAL", register, upvalue, noOperand, noOperand},
	opSETUPVAL: {"SETUPVAL", register, upvalue, noOperand, noOperand},
	opGETTABUP: {"GETTABUP", register, upvalue, noOperand, keyAndHint},
	opSETTABUP: {"SETTABUP", register, upvalue, noOperand, keyAndHint},
	opGETTABLE: {"GETTABLE", register, register, register, noOperand},
	opGETINT:   {"GETINT", register, register, noOperand, integerKey},
	opGETFIELD: {"GETFIELD", register, register, noOperand, keyAndHint},
	opSETTABLE: {"SETTABLE", register, register, register, noOperand},
	opSETINT:   {"SETINT", register, register, noOperand, integerKey},
	opSETFIELD: {"SETFIELD", register, register, noOperand, keyAndHint},
	opSELF:     {"SELF", register, register, noOperand, keyAndHint},

	opADD:    {"ADD", register, register, register, noOperand},
	opSUB:    {"SUB", register, register, register, noOperand},
	opMUL:    {"MUL", register, register, register, noOperand},
	opMOD:    {"MOD", register, register, register, noOperand},
	opPOW:    {"POW", register, register, register, noOperand},
	opDIV:    {"DIV", register, register, register, noOperand},
	opIDIV:   {"IDIV", register, register, register, noOperand},
	opBAND:   {"BAND", register, register, register, noOperand},
	opBOR:    {"BOR", register, register, register, noOperand},
	opBXOR:   {"BXOR", register, register, register, noOperand},
	opSHL:    {"SHL", register, register, register, noOperand},
	opSHR:    {"SHR", register, register, register, noOperand},
	opADDK:   {"ADDK", register, register, noOperand, constIndex},
	opSUBK:   {"SUBK", register, register, noOperand, constIndex},
	opMULK:   {"MULK", register, register, noOperand, constIndex},
	opMODK:   {"MODK", register, register, noOperand, constIndex},
	opPOWK:   {"POWK", register, register, noOperand, constIndex},
	opDIVK:   {"DIVK", register, register, noOperand, constIndex},
	opIDIVK:  {"IDIVK", register, register, noOperand, constIndex},
	opUNM:    {"UNM", register, register, noOperand, noOperand},
	opBNOT:   {"BNOT", register, register, noOperand, noOperand},
	opNOT:    {"NOT", register, register, noOperand, noOperand},
	opLEN:    {"LEN", register, register, noOperand, noOperand},
	opCONCAT: {"CONCAT", register, register, count, noOperand},

	opJMP:     {"JMP", noOperand, noOperand, noOperand, jumpOffset},
	opJMPBACK: {"JMPBACK", noOperand, noOperand, noOperand, jumpOffset},
	opTEST:    {"TEST", register, noOperand, boolFlag, jumpOffset},
	opTESTSET: {"TESTSET", register, register, boolFlag, jumpOffset},
	opEQ:      {"EQ", register, register, boolFlag, jumpOffset},
	opLT:      {"LT", register, register, boolFlag, jumpOffset},
	opLE:      {"LE", register, register, boolFlag, jumpOffset},
	opEQK:     {"EQK", register, shortConst, boolFlag, jumpOffset},
	opLTK:     {"LTK", register, shortConst, boolFlag, jumpOffset},
	opLEK:     {"LEK", register, shortConst, boolFlag, jumpOffset},
	opGTK:     {"GTK", register, shortConst, boolFlag, jumpOffset},
	opGEK:     {"GEK", register, shortConst, boolFlag, jumpOffset},

	opCALL:     {"CALL", register, count, count, noOperand},
	opTAILCALL: {"TAILCALL", register, count, boolFlag, noOperand},
	opRETURN:   {"RETURN", register, count, boolFlag, noOperand},
	opRETURN0:  {"RETURN0", noOperand, noOperand, noOperand, noOperand},
	opRETURN1:  {"RETURN1", register, noOperand, noOperand, noOperand},

	opFORPREP:  {"FORPREP", register, noOperand, noOperand, jumpOffset},
	opFORLOOP:  {"FORLOOP", register, noOperand, noOperand, jumpOffset},
	opTFORPREP: {"TFORPREP", register, noOperand, noOperand, jumpOffset},
	opTFORCALL: {"TFORCALL", register, noOperand, count, noOperand},
	opTFORLOOP: {"TFORLOOP", register, noOperand, noOperand, jumpOffset},

	opCLOSURE:  {"CLOSURE", register, noOperand, noOperand, protoIndex},
	opVARARG:   {"VARARG", register, count, noOperand, noOperand},
	opNEWTABLE: {"NEWTABLE", register, noOperand, noOperand, tableSizes},
	opSETLIST:  {"SETLIST", register, register, count, firstIndex},
	opCLOSE:    {"CLOSE", register, noOperand, noOperand, noOperand},
	opTBC:      {"TBC", register, noOperand, noOperand, noOperand},
}

// endsPath reports whether control never goes on to the next instruction.
func (op opcode) endsPath() bool {
	switch op {
	case opJMP, opJMPBACK, opTAILCALL, opRETURN, opRETURN0, opRETURN1:
		return true
	}
	return false
}

// isBackEdge reports whether the instruction may jump backwards.
func (op opcode) isBackEdge() bool { return op == opJMPBACK || op == opFORLOOP || op == opTFORLOOP }

// opensTop reports whether i leaves any number of values up to the top.
func (i Instr) opensTop() bool {
	return i.op() == opCALL && i.c() == 0 || i.op() == opVARARG && i.b() == 0
}

// usesTop reports whether i takes values up to the top.
func (i Instr) usesTop() bool {
	switch i.op() {
	case opCALL, opTAILCALL, opRETURN:
		return i.b() == 0
	case opSETLIST:
		return i.c() == 0
	}
	return false
}
