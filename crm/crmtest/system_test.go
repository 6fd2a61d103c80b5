package crmtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// integration is a server that answers every system call in one way.
func integration(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server.URL
}

// respond answers as the test asks, with the echo where the header "echo" is not set to
// something else.
func respond(code int, body string, header http.Header) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header()[http.CanonicalHeaderKey(headerEcho)] = r.Header.Values(headerEcho)
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func TestSystemCallsAreTheContracts(t *testing.T) {
	crm := New(Options{})
	var got []string
	base := integration(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = append(got, r.Method+" "+r.URL.Path+" "+string(body))
		s := &sender{t: t, crm: crm, key: r.Header.Get(headerAccessKey)}
		if status, answer := s.ask("GET", instances+crm.options.IntegrationID, "", ""); status != http.StatusOK {
			t.Errorf("the key that came with %s: %d %s", r.URL.Path, status, answer)
		}
		respond(http.StatusOK, `"OK"`, nil)(w, r)
	}) + "/kontur"
	system := crm.System(base + "/")
	for _, command := range []func() (Answer, error){
		func() (Answer, error) {
			return system.Call(t.Context(), CallBody{CommunicationID: "30a", FromUserID: "3f6", ClientPhone: "79997775533"})
		},
		func() (Answer, error) {
			return system.Hangup(t.Context(), "", HangupBody{RealtimeCallItemID: "7dg", UserID: "4a4"})
		},
		func() (Answer, error) { return system.Hangup(t.Context(), "30a", HangupBody{UserID: "4a4"}) },
		func() (Answer, error) { return system.WebHook(t.Context(), "communications/sync") },
	} {
		if answer, err := command(); err != nil || !answer.Taken() {
			t.Errorf("%+v %v", answer, err)
		}
	}
	want := []string{
		`POST /kontur/api/v1/my-workspace/communications/call {"communicationId":"30a","fromUserId":"3f6","clientPhone":"79997775533"}`,
		`POST /kontur/api/v1/my-workspace/communications/hangup {"realtimeCallItemId":"7dg","userId":"4a4"}`,
		`POST /kontur/api/v1/my-workspace/communications/30a/hangup {"userId":"4a4"}`,
		`POST /kontur/communications/sync {}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	wantBreaches(t, crm)
}

func TestAnswersToSystemCallsAreJudged(t *testing.T) {
	const refusal = `{"status":"numberNotAllowed","message":"no"}`
	set := func(name, value string) http.Header { return http.Header{http.CanonicalHeaderKey(name): {value}} }
	tests := []struct {
		name   string
		handle http.HandlerFunc
		bad    bool // a CALL may not be answered so
		hook   bool // a webhook may not either
	}{
		{"OK", respond(200, `"OK"`, nil), false, false},
		{"refusal", respond(409, refusal, nil), false, false},
		{"refusal as the contract shows it", respond(409, `{"invalidDatas":[],"invalidConstraints":{},"status":"notSupported","message":"x"}`, nil), false, false},
		{"bare OK", respond(200, `OK`, nil), true, false},
		{"nothing", respond(200, ``, nil), true, false},
		{"object", respond(200, `{}`, nil), true, false},
		{"text", respond(200, `"OK"`, set("Content-Type", "text/plain")), true, false},
		{"other echo", respond(200, `"OK"`, set(headerEcho, "x")), true, true},
		{"no echo", respond(200, `"OK"`, http.Header{http.CanonicalHeaderKey(headerEcho): nil}), true, true},
		{"refusal without echo", respond(409, refusal, set(headerEcho, "x")), true, false},
		{"refusal without message", respond(409, `{"status":"numberNotAllowed"}`, nil), true, false},
		{"refusal with more", respond(409, `{"status":"a","message":"b","call":"c"}`, nil), true, false},
		{"unauthorised", respond(401, ``, set(headerEcho, "x")), false, false},
		{"unavailable", respond(503, ``, nil), false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			crm := New(Options{})
			system := crm.System(integration(t, test.handle))
			answer, err := system.Call(t.Context(), CallBody{CommunicationID: "30a"})
			if err != nil {
				t.Fatal(err)
			}
			if test.bad {
				wantBreaches(t, crm, BreachAnswer)
			} else {
				wantBreaches(t, crm)
			}
			if answer.Code == 409 && answer.Status == "" {
				t.Errorf("%+v", answer)
			}
			before := len(crm.Violations())
			if _, err := system.WebHook(t.Context(), "communications/sync"); err != nil || (len(crm.Violations()) > before) != test.hook {
				t.Errorf("as a webhook: %v %v", err, crm.Violations())
			}
		})
	}
}

// A refused CALL is not expected. A call expected before stays expected.
func TestRefusedCallsAreNotOrdered(t *testing.T) {
	crm := New(Options{})
	refusing := crm.System(integration(t, respond(409, `{"status":"a","message":"b"}`, nil)))
	call := func(id string) {
		if _, err := refusing.Call(t.Context(), CallBody{CommunicationID: id}); err != nil {
			t.Fatal(err)
		}
	}
	crm.ClickToCall("before")
	call("before")
	call("refused")
	s := newSender(t, crm)
	s.send(step{KindFailed, map[string]any{"communicationId": "before"}})
	wantBreaches(t, crm)
	s.send(step{KindFailed, map[string]any{"communicationId": "refused"}})
	wantBreaches(t, crm, BreachUnknownCall)
}

// Calls that come and go between others take no other call's id.
func TestCommunicationIDsAreNeverGivenTwice(t *testing.T) {
	crm := New(Options{})
	refusing := crm.System(integration(t, func(w http.ResponseWriter, r *http.Request) {
		newSender(t, crm).send(started("1.1", "inbound", 0))
		respond(409, `{"status":"a","message":"b"}`, nil)(w, r)
	}))
	if _, err := refusing.Call(t.Context(), CallBody{CommunicationID: "refused"}); err != nil {
		t.Fatal(err)
	}
	newSender(t, crm).send(started("1.2", "inbound", 0))
	calls := crm.Calls()
	if len(calls) != 2 || calls[0].CommunicationID == calls[1].CommunicationID {
		t.Errorf("%s", crm.Summary())
	}
	wantBreaches(t, crm)
}

func TestACallIsNotMadeAndRefused(t *testing.T) {
	crm := New(Options{})
	s := newSender(t, crm)
	system := crm.System(integration(t, func(w http.ResponseWriter, r *http.Request) {
		s.send(step{KindFailed, map[string]any{"communicationId": "30a"}})
		respond(409, `{"status":"a","message":"b"}`, nil)(w, r)
	}))
	if _, err := system.Call(t.Context(), CallBody{CommunicationID: "30a"}); err != nil {
		t.Fatal(err)
	}
	wantBreaches(t, crm, BreachAnswer)
}

func TestNoAnswerToASystemCall(t *testing.T) {
	crm := New(Options{})
	release := make(chan struct{})
	system := crm.System(integration(t, func(http.ResponseWriter, *http.Request) { <-release }))
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := system.Call(ctx, CallBody{CommunicationID: "30a"}); err == nil {
		t.Error("no error")
	}
	// The CRM can't know whether the call is being made.
	newSender(t, crm).send(step{KindFailed, map[string]any{"communicationId": "30a"}})
	wantBreaches(t, crm)
}
