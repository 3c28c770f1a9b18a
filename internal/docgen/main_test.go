package main

import "testing"

func TestPagesAreUpToDate(t *testing.T) {
	t.Parallel()
	if err := run("../..", true); err != nil {
		t.Error(err)
	}
}
