package server

import (
	"net/http"

	"github.com/llmspell/llmspell"
)

// SessionRequest is the body of POST /v1/sessions.
type SessionRequest struct {
	Name     string         `json:"name,omitempty"`
	Durable  bool           `json:"durable,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

// CompleteRequest asks for completions; Cursor counts code points.
type CompleteRequest struct {
	Code   string `json:"code"`
	Cursor int    `json:"cursor"`
}

func postSession(a *api, w http.ResponseWriter, r *http.Request) error {
	var body SessionRequest
	if r.ContentLength != 0 {
		if err := decode(w, r, a.maxBody(), &body); err != nil {
			return err
		}
	}
	metadata, _ := goValue(body.Metadata).(map[string]any)
	s, err := a.kernel.NewSession(r.Context(), llmspell.SessionParams{
		Name: body.Name, Tenant: identity(r).Tenant, Durable: body.Durable, Metadata: metadata,
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/sessions/"+s.ID())
	return reply(w, http.StatusCreated, s.Info())
}

func listSessions(a *api, w http.ResponseWriter, r *http.Request) error {
	return replyPage(w, r, a.kernel.Sessions(identity(r).Tenant), func(s llmspell.SessionInfo) string { return s.ID })
}

func (a *api) session(r *http.Request) (*llmspell.Session, error) {
	return a.kernel.TenantSession(r.Context(), identity(r).Tenant, r.PathValue("id"))
}

func getSession(a *api, w http.ResponseWriter, r *http.Request) error {
	s, err := a.session(r)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.Info())
}

func deleteSession(a *api, w http.ResponseWriter, r *http.Request) error {
	s, err := a.session(r)
	if err != nil {
		return err
	}
	if err := s.Close(r.Context()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func interruptSession(a *api, w http.ResponseWriter, r *http.Request) error {
	s, err := a.session(r)
	if err != nil {
		return err
	}
	s.Interrupt()
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func completeSession(a *api, w http.ResponseWriter, r *http.Request) error {
	var body CompleteRequest
	if err := decode(w, r, a.maxBody(), &body); err != nil {
		return err
	}
	s, err := a.session(r)
	if err != nil {
		return err
	}
	c, err := s.Complete(r.Context(), body.Code, body.Cursor)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, c)
}
