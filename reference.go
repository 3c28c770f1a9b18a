package llmspell

import (
	"strings"

	"github.com/llmspell/llmspell/internal/bind"
)

// Reference returns the reference page of each script global by its name in
// lower case, and the stub file that teaches editors the script API (LuaLS
// annotations). Both are made from the same rows that bind the functions.
func (k *Kernel) Reference() (pages map[string][]byte, stubs []byte) {
	modules := k.library.Modules()
	pages = make(map[string][]byte, len(modules))
	for _, m := range modules {
		pages[strings.ToLower(m.Name)] = bind.Markdown(m)
	}
	return pages, bind.Stubs(modules...)
}
