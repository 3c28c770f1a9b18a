package server

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/fault"
)

// StateEntry describes a state value; Version is also its ETag.
type StateEntry struct {
	Key     string `json:"key"`
	Version int64  `json:"version"`
}

func (a *api) state() *llmspell.StateManager { return a.kernel.Infrastructure().StateManager() }

func listState(a *api, w http.ResponseWriter, r *http.Request) error {
	limit, after, err := pageParams(r)
	if err != nil {
		return err
	}
	keys, err := a.state().List(r.Context(), identity(r).Tenant, r.PathValue("scope"), r.URL.Query().Get("prefix"), after, limit)
	if err != nil {
		return err
	}
	page := Page[llmspell.StateKey]{Items: append([]llmspell.StateKey{}, keys...)}
	if len(keys) == limit {
		page.NextCursor = cursor(keys[limit-1].Key)
	}
	return reply(w, http.StatusOK, page)
}

func getState(a *api, w http.ResponseWriter, r *http.Request) error {
	entry, ok, err := a.state().Get(r.Context(), identity(r).Tenant, r.PathValue("scope"), r.PathValue("key"))
	if err != nil {
		return err
	}
	if !ok {
		return fault.Errorf(fault.NotFound, "no key %q in scope %q", r.PathValue("key"), r.PathValue("scope"))
	}
	w.Header().Set("ETag", etag(entry.Version))
	return reply(w, http.StatusOK, stateJSON{entry.Value})
}

func putState(a *api, w http.ResponseWriter, r *http.Request) error {
	var value any
	if err := decode(w, r, a.maxBody(), &value); err != nil {
		return err
	}
	value = goValue(value)
	if err := finite(value); err != nil {
		return err
	}
	var o llmspell.StateOptions
	if match := r.Header.Get("If-Match"); match != "" {
		version, err := strconv.ParseInt(strings.Trim(match, `"`), 10, 64)
		if err != nil {
			return fault.Errorf(fault.InvalidArgument, "If-Match: expected the ETag of a state value, got %q", match)
		}
		o.IfVersion = &version
	}
	version, err := a.state().Put(r.Context(), identity(r).Tenant, r.PathValue("scope"), r.PathValue("key"), value, o)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(version))
	return reply(w, http.StatusOK, StateEntry{r.PathValue("key"), version})
}

func deleteState(a *api, w http.ResponseWriter, r *http.Request) error {
	if _, err := a.state().Delete(r.Context(), identity(r).Tenant, r.PathValue("scope"), r.PathValue("key")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
