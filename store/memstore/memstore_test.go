package memstore_test

import (
	"testing"
	"time"

	"github.com/llmspell/llmspell/store"
	"github.com/llmspell/llmspell/store/memstore"
	"github.com/llmspell/llmspell/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, now func() time.Time) store.Store {
		return memstore.New(memstore.Params{Now: now})
	})
}
