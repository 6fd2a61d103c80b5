package crmtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const headerEcho = "X-XCOM-Integration-Echo"

// System makes the requests that the CRM makes itself: the system calls CALL and
// HANGUP, and webhooks. Each comes with an access key of its own and a random echo.
// An answer that is not the contract's becomes a [Violation] of the CRM.
type System struct {
	crm     *CRM
	baseURL string
	http    *http.Client
}

// System returns what calls the integration at a base URL, as [CRM.SetBaseURL]
// names it. It may be used concurrently, and needs no closing.
func (c *CRM) System(baseURL string) *System {
	return &System{crm: c, baseURL: strings.TrimRight(baseURL, "/"), http: &http.Client{
		// A connection of its own for each, so that none is left over.
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// CallBody is the body of CALL; what is "" is left out.
type CallBody struct {
	CommunicationID string `json:"communicationId,omitempty"`
	FromUserID      string `json:"fromUserId,omitempty"`
	ToUserID        string `json:"toUserId,omitempty"`
	ClientPhone     string `json:"clientPhone,omitempty"`
}

// HangupBody is the body of HANGUP; what is "" is left out.
type HangupBody struct {
	RealtimeCallItemID string `json:"realtimeCallItemId,omitempty"`
	UserID             string `json:"userId,omitempty"`
}

// Answer is how the integration answered.
type Answer struct {
	// Code is the HTTP status.
	Code int
	// Header and Body are as received, the body cut at a mebibyte.
	Header http.Header
	Body   []byte
	// Echoed: the echo came back, once and unchanged.
	Echoed bool
	// Status and Message are those of a 409; "" where it has none.
	Status, Message string
}

// Taken reports whether the CRM takes the request for done: 200 and the echo.
func (a Answer) Taken() bool { return a.Code == http.StatusOK && a.Echoed }

// Call has a call made, as a click of a user does. The CRM expects the call from before the
// request on. If the answer is a 409, and this was the first CALL of the communication, the
// CRM expects it no more. The error says that no answer came.
func (s *System) Call(ctx context.Context, body CallBody) (Answer, error) {
	first := body.CommunicationID != "" && s.crm.clickToCall(body.CommunicationID)
	answer, err := s.command(ctx, "CALL", "call", body)
	if err == nil && first && answer.Code == http.StatusConflict {
		s.crm.withdraw(body.CommunicationID)
	}
	return answer, err
}

// Hangup has a call hung up. The contract names two paths: with a communicationId
// the one that holds it is used, with "" the other. The error says that no answer came.
func (s *System) Hangup(ctx context.Context, communicationID string, body HangupBody) (Answer, error) {
	path := "hangup"
	if communicationID != "" {
		path = url.PathEscape(communicationID) + "/hangup"
	}
	return s.command(ctx, "HANGUP", path, body)
}

// WebHook calls a webhook by its relative URL, such as "communications/sync". The
// error says that no answer came.
func (s *System) WebHook(ctx context.Context, relativeURL string) (Answer, error) {
	answer, err := s.post(ctx, s.baseURL+"/"+strings.TrimLeft(relativeURL, "/"), []byte("{}"))
	if err != nil {
		return answer, fmt.Errorf("crmtest: webhook %s: %w", relativeURL, err)
	}
	if answer.Code == http.StatusOK && !answer.Echoed {
		s.crm.complain("the webhook %s was answered without the echo", relativeURL)
	}
	return answer, nil
}

func (s *System) command(ctx context.Context, name, path string, body any) (Answer, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return Answer{}, fmt.Errorf("crmtest: %s: %w", name, err)
	}
	answer, err := s.post(ctx, s.baseURL+"/api/v1/"+url.PathEscape(s.crm.options.Workspace)+"/communications/"+path, raw)
	if err != nil {
		return answer, fmt.Errorf("crmtest: %s: %w", name, err)
	}
	for _, complaint := range answer.misanswered() {
		s.crm.complain("%s, answered with %d: %s", name, answer.Code, complaint)
	}
	return answer, nil
}

// post makes one request as the CRM does.
func (s *System) post(ctx context.Context, address string, body []byte) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	echo := rand.Text()
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set(headerAccessKey, s.crm.SystemKey())
	request.Header.Set(headerEcho, echo)
	response, err := s.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }() // it has been read
	raw, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return Answer{}, err
	}
	echoes := response.Header.Values(headerEcho)
	answer := Answer{Code: response.StatusCode, Header: response.Header, Body: raw, Echoed: len(echoes) == 1 && echoes[0] == echo}
	if answer.Code == http.StatusConflict {
		var refusal struct{ Status, Message string }
		// What can't be read stays "": that is judged elsewhere.
		_ = json.Unmarshal(raw, &refusal)
		answer.Status, answer.Message = refusal.Status, refusal.Message
	}
	return answer, nil
}

var refusalShape = object(map[string]field{
	"status": {false, text}, "message": {false, text},
	"invalidDatas": {true, arrayOf(anything, 0)}, "invalidConstraints": {true, anything},
})

// misanswered finds what is wrong with the answer to a system call. The contract
// knows 200 and 409; what else HTTP has is for those who are not the CRM or whose
// request can't be judged, and is not judged either.
func (a Answer) misanswered() []string {
	var complaints []string
	var problems []problem
	switch a.Code {
	case http.StatusOK:
		var value any
		if value, problems = parse(a.Body); len(problems) == 0 && value != "OK" {
			problems = []problem{{"$", `the body is not "OK"`}}
		}
	case http.StatusConflict:
		var value any
		if value, problems = parse(a.Body); len(problems) == 0 {
			refusalShape("$", value, &problems)
		}
	default:
		return nil
	}
	for _, p := range problems {
		complaints = append(complaints, p.path+": "+p.text)
	}
	if kind := mistyped(a.Header.Get("Content-Type"), "application/json"); kind != "" {
		complaints = append(complaints, kind)
	}
	if !a.Echoed {
		complaints = append(complaints, "the echo did not come back")
	}
	return complaints
}

// complain records an answer that is not the contract's.
func (c *CRM) complain(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.complainLocked(format, args...)
}

// complainLocked is complain for a caller who holds the lock.
func (c *CRM) complainLocked(format string, args ...any) {
	c.violations = append(c.violations, Violation{Breach: BreachAnswer, Time: time.Now(), Detail: fmt.Sprintf(format, args...)})
	close(c.changed)
	c.changed = make(chan struct{})
}
