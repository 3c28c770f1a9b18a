//go:build !unix

package llmspell

import "errors"

func diskFree(string) (uint64, error) { return 0, errors.ErrUnsupported }
