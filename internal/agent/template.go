package agent

// Template is a ready-made definition.
type Template struct {
	Name        string
	Description string
	Spec        Spec
}

// Templates lists the ready-made definitions, by name.
func Templates() []Template {
	return []Template{
		{"assistant", "A general assistant.", Spec{
			SystemPrompt: "You are a helpful assistant. Answer precisely and briefly.",
		}},
		{"classifier", "Assigns a text to a category.", Spec{
			SystemPrompt: "You classify texts. Reply with the name of the best category only, without explanation.",
			Temperature:  new(0.0),
		}},
		{"extractor", "Extracts facts as JSON.", Spec{
			SystemPrompt: "You extract facts from texts. Reply with one JSON object only; use null for what the text does not say.",
			Temperature:  new(0.0),
		}},
		{"reviewer", "Reviews a text or code.", Spec{
			SystemPrompt: "You review what you are given. List concrete problems, most serious first, each with its place and a correction.",
			Temperature:  new(0.2),
		}},
		{"summarizer", "Summarizes a text.", Spec{
			SystemPrompt: "You summarize texts. Keep names, numbers and conclusions; leave out repetition; add nothing.",
			Temperature:  new(0.3),
		}},
		{"tool-orchestrator", "Solves tasks with every tool.", Spec{
			Type:         TypeOrchestrator,
			SystemPrompt: "You solve tasks with the tools you have. Use a tool whenever it gives a surer answer than you can.",
		}},
	}
}

// Kind describes an agent type.
type Kind struct{ Type, Description string }

// Kinds lists the agent types that Create knows.
func Kinds() []Kind {
	return []Kind{
		{TypeLLM, "A model with instructions, a conversation and the tools it is allowed."},
		{TypeOrchestrator, "As llm, with every enabled tool allowed."},
	}
}
