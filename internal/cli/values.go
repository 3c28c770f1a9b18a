package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/llmspell/llmspell/internal/canon"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// decodeObject reads a JSON object, keeping integers apart from floats.
func decodeObject(data []byte) (map[string]any, error) {
	v, err := canon.ParseJSON(data)
	if err != nil {
		return nil, fmt.Errorf("want a JSON object: %w", err)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("want a JSON object, got %.40s", data)
	}
	return m, nil
}
