package lua

// Instr is one instruction: op in bits 0-7, A 8-15, B 16-23, C 24-31, D 32-63
// (signed). D holds a jump distance counted from the following instruction, a
// constant index, or constant index (low 16) plus hint slot (high 16), written
// "DK" below. Registers are R[x] = base + x, upvalues U[x], constants K[x].
type Instr uint64

func (i Instr) op() opcode { return opcode(i & 0xff) }
func (i Instr) a() uint8   { return uint8(i >> 8) }
func (i Instr) b() uint8   { return uint8(i >> 16) }
func (i Instr) c() uint8   { return uint8(i >> 24) }
func (i Instr) d() int     { return int(int32(i >> 32)) }
func (i Instr) dk() int    { return int(uint16(i >> 32)) }
func (i Instr) hint() int  { return int(uint16(i >> 48)) }

func makeInstr(op opcode, a, b, c uint8, d int32) Instr {
	return Instr(op) | Instr(a)<<8 | Instr(b)<<16 | Instr(c)<<24 | Instr(uint32(d))<<32
}

type opcode uint8

// The instruction set. "open" means up to the top of the stack that the
// preceding open CALL or VARARG left. A back edge (negative D in JMPBACK,
// FORLOOP, TFORLOOP) charges fuel; no other jump goes backwards.
//
// The compiler guarantees, and verify checks: an open operand is used by the
// instruction right after the one that opened it; TAILCALL ends its path, no
// RETURN follows; TFORCALL has seven registers from R[A] below maxStack, so a
// call frame can be built at R[A+4]; the code ends in RETURN*, TAILCALL or
// JMPBACK. GTK and GEK are K[B] < R[A] and K[B] <= R[A] for metamethods and
// error messages. R[A] > R[B] is compiled as LT with the operands exchanged.
const (
	opMOVE     opcode = iota // A B     R[A] = R[B]
	opLOADK                  // A D     R[A] = K[D]
	opLOADNIL                // A B     R[A] .. R[A+B-1] = nil
	opGETUPVAL               // A B     R[A] = U[B]
	opSETUPVAL               // A B     U[B] = R[A]
	opGETTABUP               // A B DK  R[A] = U[B][K[DK]]          (globals: _ENV.name)
	opSETTABUP               // A B DK  U[B][K[DK]] = R[A]
	opGETTABLE               // A B C   R[A] = R[B][R[C]]
	opGETINT                 // A B D   R[A] = R[B][D]              (constant integer key)
	opGETFIELD               // A B DK  R[A] = R[B][K[DK]]          (constant string key)
	opSETTABLE               // A B C   R[A][R[B]] = R[C]
	opSETINT                 // A B D   R[A][D] = R[B]
	opSETFIELD               // A B DK  R[A][K[DK]] = R[B]
	opSELF                   // A B DK  R[A+1] = R[B]; R[A] = R[B][K[DK]]

	opADD // A B C   R[A] = R[B] + R[C]; likewise to SHR
	opSUB
	opMUL
	opMOD
	opPOW
	opDIV
	opIDIV
	opBAND
	opBOR
	opBXOR
	opSHL
	opSHR
	opADDK // A B D   R[A] = R[B] + K[D], K[D] a number; likewise to IDIVK
	opSUBK
	opMULK
	opMODK
	opPOWK
	opDIVK
	opIDIVK
	opUNM    // A B     R[A] = -R[B]
	opBNOT   // A B
	opNOT    // A B
	opLEN    // A B
	opCONCAT // A B C   R[A] = R[B] .. ... .. R[B+C-1]   (C >= 2)

	opJMP     // D       ip += D          (forward, or 0)
	opJMPBACK // D       ip += D, D < 0   (charges fuel)
	opTEST    // A C D   if truthy(R[A]) == (C != 0) then ip += D
	opTESTSET // A B C D if truthy(R[B]) == (C != 0) then R[A] = R[B], ip += D
	opEQ      // A B C D if (R[A] == R[B]) == (C != 0) then ip += D
	opLT      // A B C D if (R[A] <  R[B]) == (C != 0) then ip += D
	opLE      // A B C D if (R[A] <= R[B]) == (C != 0) then ip += D
	opEQK     // A B C D if (R[A] == K[B]) == (C != 0) then ip += D   (B < 256; K[B] any constant, also nil)
	opLTK     // A B C D if (R[A] <  K[B]) == (C != 0) then ip += D   (K[B] a number)
	opLEK     // A B C D   R[A] <= K[B]
	opGTK     // A B C D   R[A] >  K[B]
	opGEK     // A B C D   R[A] >= K[B]

	opCALL     // A B C   R[A](R[A+1] .. R[A+B-1]), B-1 arguments (B = 0: open); C-1 results at R[A] (C = 0: open)
	opTAILCALL // A B C   return R[A](...), B as CALL; C = 1: upvalues of the frame may be open and are closed first
	opRETURN   // A B C   return R[A] .. R[A+B-2] (B = 0: open); C = 1: close upvalues and to-be-closed variables first
	opRETURN0  //         return nothing, nothing to close
	opRETURN1  // A       return R[A], nothing to close

	opFORPREP  // A D     prepare the numeric loop R[A]=init R[A+1]=limit R[A+2]=step, R[A+3] = visible variable; no iteration: ip += D
	opFORLOOP  // A D     next iteration: update R[A+3], ip += D (D < 0)
	opTFORPREP // A D     R[A+3] becomes to-be-closed if not nil or false; ip += D (to TFORCALL)
	opTFORCALL // A C     R[A+4] .. R[A+3+C] = R[A](R[A+1], R[A+2])
	opTFORLOOP // A D     follows TFORCALL: if R[A+4] ~= nil then R[A+2] = R[A+4], ip += D (D < 0)

	opCLOSURE  // A D     R[A] = closure(proto D)
	opVARARG   // A B     R[A] .. R[A+B-2] = ... (B = 0: open)
	opNEWTABLE // A D     R[A] = {} sized for low 16 array items, high 16 fields (both clamped at 65535)
	opSETLIST  // A B C D R[A][D+i] = R[B+i-1], i = 1 .. C-1 (C = 0: open)
	opCLOSE    // A       close upvalues and to-be-closed variables at R[A] and above
	opTBC      // A       R[A] becomes to-be-closed (checked: nil, false or has __close)

	opcodeCount
)

// Proto is a compiled function: immutable and shared between states. Code is
// padded with one extra word; operands of register kind are < maxStack, which
// the compiler guarantees and verify checks. maxStack is at most 250.
type Proto struct {
	code     []Instr
	lines    []int32 // source line of each instruction
	k        []Value // strings are unique within the chunk and flagged shared
	protos   []*Proto
	upvals   []upvalDesc
	locals   []localInfo // in order of declaration, for messages and debug
	nparams  int
	isVararg bool
	maxStack int
	nhints   int // hint slots used by this function; each state owns the array

	source      string // chunk name as given: "@file", "=name" or the source text
	name        string // for tracebacks where the call site gives none; may be empty
	lineDefined int    // 0 for a main chunk
	lastLine    int
	index       int    // position in the chunk's list of functions, depth first
	hash        uint64 // of code, constants and shape; equal hash = same compilation
	chunk       *Chunk // owner
}

type upvalDesc struct {
	name      string
	fromLocal bool // captured from the enclosing function's register index, else from its upvalue index
	index     uint8
	attrib    uint8 // attribRegular, attribConst, attribClose of the captured variable
}

type localInfo struct {
	name       string
	reg        uint8
	start, end int // live for start <= pc < end
}

// Chunk is a compiled source text: the unit that is cached, shared and named in
// snapshots.
type Chunk struct {
	main   *Proto
	protos []*Proto // by Proto.index
	name   string
	source string

	expression bool // compiled with CompileOptions.Expression
	private    bool // made by load: its constants belong to one state
}
