package replay_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/llmtest"
	"github.com/llmspell/llmspell/llm/replay"
)

func Example() {
	dir, err := os.MkdirTemp("", "replay")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "hello.replay.jsonl")
	question := llm.Request{Model: "echo", Messages: []llm.Message{{Role: llm.User, Content: "hello"}}}

	// Once, with a model.
	rec, err := replay.Create(path, replay.Params{Now: func() time.Time { return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) }})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = llm.Collect(rec.Wrap("fake", llmtest.Fake()).Stream(context.Background(), question)) // an error would be recorded
	if err := rec.Close(); err != nil {
		fmt.Println(err)
		return
	}

	// Ever after, without.
	player, err := replay.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	reply, err := llm.Collect(player.Stream(context.Background(), question))
	fmt.Println(reply.Text, err)
	fmt.Println(player.Info().Recorded.Format(time.DateOnly), player.Info().Model, player.Info().Calls)
	// Output:
	// echo: hello <nil>
	// 2026-01-02 echo 1
}
