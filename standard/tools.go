package standard

import (
	"github.com/llmspell/llmspell/tool"
	"github.com/llmspell/llmspell/tool/data"
	"github.com/llmspell/llmspell/tool/file"
	"github.com/llmspell/llmspell/tool/system"
	"github.com/llmspell/llmspell/tool/text"
)

// tools are the stock tools.
func tools() []tool.Tool {
	return []tool.Tool{
		data.NewCalculator(),
		system.NewDatetime(),
		system.NewUUID(),
		text.NewHash(),
		text.NewManipulator(),
		text.NewBase64(),
		data.NewJSON(),
		file.NewOperations(),
	}
}
