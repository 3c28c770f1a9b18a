package lua

// Codec tells a state how to save and restore what its host put into it. It is
// read only and may serve any number of states.
type Codec struct {
	// Types are the host's userdata types; those with Encode and Decode survive.
	Types []*UserType
	// Steps are the host's own Step types.
	Steps []StepCodec
	// Functions are permanents that Setup does not make reachable through the
	// globals or frozen tables.
	Functions []*Function
	// EncodeContext and DecodeContext save what State.SetContext attached; nil
	// functions, or nil bytes, restore no context.
	EncodeContext func(ctx any) ([]byte, error)
	DecodeContext func(s *State, data []byte) (any, error)
	// Compile makes the chunks of a restored state that load did not make,
	// through a cache of the host; nil: the function Compile.
	Compile func(name, source string, o CompileOptions) (*Chunk, error)
}

// StepCodec saves and restores one Step type.
type StepCodec struct {
	Name string // in snapshots
	Step Step   // any value of the type
	// Encode writes what Decode reads. Decode must accept any input: it checks
	// what the Step relies on and calls StepReader.Fail.
	Encode func(w *StepWriter, s Step)
	Decode func(r *StepReader) Step
}

// StepWriter takes the fields of a Step.
type StepWriter struct{ e *encoder }

// StepReader gives the fields of a Step in the order they were written. After a
// failure it gives zero values.
type StepReader struct{ d *decoder }
