package server

import (
	"net/http"
	"time"

	"github.com/llmspell/llmspell"
)

// RunResponse describes a run.
type RunResponse struct {
	RunID     string           `json:"run_id"`
	SessionID string           `json:"session_id,omitempty"`
	Status    string           `json:"status"`
	Result    *llmspell.Result `json:"result,omitempty"`
	Error     *Problem         `json:"error,omitempty"`
	StartedAt time.Time        `json:"started_at,omitzero"`
	EndedAt   time.Time        `json:"ended_at,omitzero"`
}

// InputRequest is the body of POST /v1/runs/{id}/input.
type InputRequest struct {
	Text string `json:"text"`
}

func runResponse(i llmspell.RunInfo) RunResponse {
	out := RunResponse{RunID: i.ID, SessionID: i.SessionID, Status: i.Status, Result: i.Result, StartedAt: i.StartedAt, EndedAt: i.EndedAt}
	if i.Err != nil {
		p := problemOf(i.Err)
		out.Error = &p
	}
	return out
}

func postRun(a *api, w http.ResponseWriter, r *http.Request) error {
	var body ExecuteRequest
	if err := decode(w, r, a.maxBody(), &body); err != nil {
		return err
	}
	req, err := body.request(r)
	if err != nil {
		return err
	}
	run, err := a.kernel.Start(r.Context(), req)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/runs/"+run.ID())
	return reply(w, http.StatusAccepted, runResponse(run.Info()))
}

func listRuns(a *api, w http.ResponseWriter, r *http.Request) error {
	runs := a.kernel.Runs(identity(r).Tenant)
	out := make([]RunResponse, 0, len(runs))
	for _, run := range runs {
		info := run.Info()
		info.Result = nil // a list stays small
		out = append(out, runResponse(info))
	}
	return replyPage(w, r, out, func(x RunResponse) string { return x.RunID })
}

func (a *api) run(r *http.Request) (*llmspell.Run, error) {
	return a.kernel.LookupRun(identity(r).Tenant, r.PathValue("id"))
}

func getRun(a *api, w http.ResponseWriter, r *http.Request) error {
	run, err := a.run(r)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, runResponse(run.Info()))
}

func cancelRun(a *api, w http.ResponseWriter, r *http.Request) error {
	run, err := a.run(r)
	if err != nil {
		return err
	}
	run.Cancel()
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func inputRun(a *api, w http.ResponseWriter, r *http.Request) error {
	var body InputRequest
	if err := decode(w, r, a.maxBody(), &body); err != nil {
		return err
	}
	run, err := a.run(r)
	if err != nil {
		return err
	}
	if err := run.Input(body.Text); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
