package server

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"

	"github.com/llmspell/llmspell/fault"
)

const maxPage = 1000

// Page is one page of a list; NextCursor is empty at the end.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// pageParams reads ?limit and ?cursor.
func pageParams(r *http.Request) (limit int, after string, err error) {
	q := r.URL.Query()
	limit = 100
	if s := q.Get("limit"); s != "" {
		limit, err = strconv.Atoi(s)
		if err != nil || limit < 1 || limit > maxPage {
			return 0, "", fault.Errorf(fault.InvalidArgument, "limit: expected 1 to %d, got %q", maxPage, s)
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(q.Get("cursor"))
	if err != nil {
		return 0, "", fault.Errorf(fault.InvalidArgument, "cursor: not one that this list gave")
	}
	return limit, string(raw), nil
}

func cursor(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// replyPage answers with a page of items in order of key.
func replyPage[T any](w http.ResponseWriter, r *http.Request, items []T, key func(T) string) error {
	limit, after, err := pageParams(r)
	if err != nil {
		return err
	}
	slices.SortFunc(items, func(x, y T) int {
		switch a, b := key(x), key(y); {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	page := Page[T]{Items: []T{}}
	for _, it := range items {
		if after != "" && key(it) <= after {
			continue
		}
		if len(page.Items) == limit {
			page.NextCursor = cursor(key(page.Items[limit-1]))
			break
		}
		page.Items = append(page.Items, it)
	}
	return reply(w, http.StatusOK, page)
}
