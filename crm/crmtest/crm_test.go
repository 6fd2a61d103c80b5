package crmtest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStartedAnswerIsTheDocumentedOne(t *testing.T) {
	crm := New(Options{IntegrationName: "Megafon"})
	_, answer := newSender(t, crm).send(started("333.434", "inbound", 0))
	var got map[string]any
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"externalId": "Megafon/333.434", "direction": "inbound", "type": "call", "status": "sealed", "id": guid(1000)} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	for _, name := range []string{"updateInfo", "links", "externalCreatedAt", "integrationId", "data", "assignedToGroupId"} {
		if got[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestAuthorisation(t *testing.T) {
	with := func(headers ...string) http.Header {
		header := http.Header{}
		for i := 0; i < len(headers); i += 2 {
			header.Set(headers[i], headers[i+1])
		}
		return header
	}
	public := Options{IntegrationSecret: "name=value"}
	tests := []struct {
		name    string
		options Options
		absent  bool
		path    string
		header  http.Header
		status  int
	}{
		{"private", Options{}, false, authorizePrivate, with(headerAPIKey, "test-api-key"), 200},
		{"wrong key", Options{}, false, authorizePrivate, with(headerAPIKey, "other"), 401},
		{"no key", Options{}, false, authorizePrivate, with(), 401},
		{"private as public", Options{}, false, authorizePublic, with(headerAPIKey, "test-api-key"), 401},
		{"public", public, false, authorizePublic, with(headerAPIKey, "test-api-key", headerSecret, "name=value"), 200},
		{"public without secret", public, false, authorizePublic, with(headerAPIKey, "test-api-key"), 401},
		{"public with a wrong secret", public, false, authorizePublic, with(headerAPIKey, "test-api-key", headerSecret, "name=other"), 401},
		{"public as private", public, false, authorizePrivate, with(headerAPIKey, "test-api-key", headerSecret, "name=value"), 401},
		{"not installed", Options{}, true, authorizePrivate, with(headerAPIKey, "test-api-key"), 409},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			crm := New(test.options)
			crm.SetInstalled(!test.absent)
			s := &sender{t: t, crm: crm}
			if status, answer := s.exchange(http.MethodPost, test.path, test.header, nil); status != test.status {
				t.Errorf("%d %s, want %d", status, answer, test.status)
			}
			wantBreaches(t, crm)
		})
	}
}

func TestKeysExpireAndCanBeRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crm := New(Options{})
		s := newSender(t, crm)
		time.Sleep(20*time.Minute - time.Nanosecond)
		if status, _ := s.send(started("1.1", "inbound", 0)); status != http.StatusOK {
			t.Errorf("a key of less than 20 minutes: %d", status)
		}
		time.Sleep(time.Nanosecond)
		if status, answer := s.send(started("1.2", "inbound", 0)); status != http.StatusUnauthorized || string(answer) != `"Unauthorized"` {
			t.Errorf("a key of 20 minutes: %d %s", status, answer)
		}
		s.authorize()
		crm.RevokeKeys()
		if status, _ := s.send(started("1.2", "inbound", 0)); status != http.StatusUnauthorized {
			t.Errorf("a revoked key: %d", status)
		}
		if crm.KeysIssued() != 2 || len(crm.Calls()) != 1 {
			t.Errorf("%d keys\n%s", crm.KeysIssued(), crm.Summary())
		}
		wantBreaches(t, crm)
	})
}

func TestRequestsThatAreNone(t *testing.T) {
	report := "/api/v1/my-workspace/" + callbacks + "call-started"
	tests := []struct {
		name, method, path, contentType string
		status                          int
	}{
		{"unknown path", "POST", "/api/v1/my-workspace/calls", "application/json", 404},
		{"no path", "POST", "/", "application/json", 404},
		{"other workspace", "POST", strings.Replace(report, "my-", "your-", 1), "application/json", 404},
		{"other method", "PUT", report, "application/json", 405},
		{"form", "POST", report, "application/x-www-form-urlencoded", 415},
		{"other charset", "POST", report, "application/json; charset=windows-1251", 415},
		{"no content type", "POST", report, "", 415},
		{"instance by POST", "POST", "/api/v1/my-workspace/" + instances + "1", "application/json", 405},
		{"authorisation by GET", "GET", authorizePrivate, "", 405},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			crm := New(Options{})
			s := newSender(t, crm)
			header := http.Header{"Content-Type": {test.contentType}}
			header.Set(headerAccessKey, s.key)
			if status, _ := s.exchange(test.method, test.path, header, []byte(goodStarted)); status != test.status {
				t.Errorf("%d, want %d", status, test.status)
			}
			wantBreaches(t, crm, BreachRequest)
		})
	}
}

func TestReportWithTheAPIKeyIsAViolation(t *testing.T) {
	crm := New(Options{})
	s := newSender(t, crm)
	header := http.Header{"Content-Type": {"application/json"}}
	header.Set(headerAccessKey, s.key)
	header.Set(headerAPIKey, "test-api-key")
	s.exchange("POST", "/api/v1/my-workspace/"+callbacks+"call-started", header, []byte(goodStarted))
	wantBreaches(t, crm, BreachRequest)
}

func TestRepeatOfTheLatestRequestIsCountedOnly(t *testing.T) {
	crm := New(Options{})
	s := newSender(t, crm)
	for _, next := range answered("1.1") {
		s.send(next)
		if status, _ := s.send(next); status != http.StatusOK {
			t.Errorf("repeated %s: %d", next.kind, status)
		}
	}
	wantBreaches(t, crm)
	if call, _ := crm.Call("1.1"); crm.Repeats() != 9 || len(call.Requests) != 9 {
		t.Errorf("%d repeats\n%s", crm.Repeats(), crm.Summary())
	}
}

func TestRules(t *testing.T) {
	tests := []struct {
		name            string
		rule            Rule
		status          int  // that the client sees
		effective, gone bool // the call knows of it; no answer came
	}{
		{"503", Rule{Status: 503}, 503, false, false},
		{"401", Rule{Status: 401}, 401, false, false},
		{"429", Rule{Status: 429, Header: http.Header{"Retry-After": {"1"}}}, 429, false, false},
		{"302", Rule{Status: 302}, 302, false, false},
		{"refused for good", Rule{Status: 409, Body: `"Error"`}, 409, true, false},
		{"taken, answered badly", Rule{Status: 200, Body: "<html>"}, 200, true, false},
		{"closed", Rule{CloseConnection: true}, 200, false, true},
		{"answer lost", Rule{DropAnswer: true}, 200, true, true},
		{"late", Rule{Delay: time.Minute}, 200, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				crm := New(Options{})
				s := newSender(t, crm)
				test.rule.Times = 1
				crm.Fail(test.rule)
				first := started("1.1", "inbound", 0)
				status, _ := s.send(first)
				requests := crm.Requests()
				last := requests[len(requests)-1]
				if last.Effective != test.effective || (last.Status == 0) != test.gone || !test.gone && (status != test.status || last.Status != status) {
					t.Errorf("the client saw %d; %+v", status, last)
				}
				if status, _ := s.send(first); status != http.StatusOK {
					t.Errorf("after the rule: %d", status)
				}
				wantBreaches(t, crm)
			})
		})
	}
}

func TestRuleChoosesItsRequests(t *testing.T) {
	crm := New(Options{})
	s := newSender(t, crm)
	remove := crm.Fail(Rule{Kind: KindEvent, Call: "1.1", Status: 503, Match: func(r Request) bool { return r.Body.Type == "connected" }})
	other := newSender(t, crm)
	other.send(started("1.2", "inbound", 0))
	steps := answered("1.1")
	for i, want := range []int{200, 200, 503} {
		if status, _ := s.send(steps[i]); status != want {
			t.Errorf("step %d: %d, want %d", i, status, want)
		}
	}
	remove()
	if status, _ := s.send(steps[2]); status != http.StatusOK {
		t.Errorf("after the rule was taken out: %d", status)
	}
	wantBreaches(t, crm)
}

func TestDown(t *testing.T) {
	crm := New(Options{})
	s := newSender(t, crm)
	crm.SetDown(true)
	if status, _ := s.send(started("1.1", "inbound", 0)); status != http.StatusServiceUnavailable {
		t.Errorf("down: %d", status)
	}
	crm.SetDown(false)
	s.play(answered("1.1"))
	wantBreaches(t, crm)
}

// The rest of a call goes on after one of its requests was refused for good.
func TestCallGoesOnAfterARefusal(t *testing.T) {
	for _, kind := range []Kind{KindStarted, KindEvent, KindFinished} {
		t.Run(string(kind), func(t *testing.T) {
			crm := New(Options{})
			crm.Fail(Rule{Kind: kind, Times: 1, Status: 409, Body: `{"status":"x","message":"y"}`})
			s := newSender(t, crm)
			s.learnt = map[string]string{"$external": "1.1", "$communication": guid(1000)}
			s.play(answered("1.1"))
			wantBreaches(t, crm)
		})
	}
}

func TestOverlapIsAViolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crm := New(Options{})
		s := newSender(t, crm)
		steps := answered("1.1")
		s.send(steps[0])
		newSender(t, crm).send(started("1.2", "inbound", 0))
		crm.Fail(Rule{Call: "1.1", Delay: time.Minute})
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.send(steps[1])
		}()
		synctest.Wait()
		second := &sender{t: t, crm: crm, key: s.key, learnt: s.learnt}
		second.send(event("1.12", "appeared", client, sidorova, 1))
		<-done
		wantBreaches(t, crm, BreachOverlap)
	})
}

func TestHangLastsUntilTheClientGivesUp(t *testing.T) {
	server := NewServer(Options{})
	defer server.Close()
	server.Fail(Rule{Kind: KindAuthorize, Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+authorizePrivate, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(request); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v %v", response, err)
	}
	if err := server.WaitFor(t.Context(), func(c *CRM) bool { return len(c.Requests()) == 1 }); err != nil {
		t.Error(err)
	}
}

func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crm := New(Options{})
		s := newSender(t, crm)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		waits := []func(context.Context, int) error{crm.WaitCalls, crm.WaitRegistered, crm.WaitOver}
		results := make(chan error, len(waits))
		for _, wait := range waits {
			go func() { results <- wait(ctx, 1) }()
		}
		s.play(answered("1.1"))
		for range waits {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		err := crm.WaitCalls(ctx, 2)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "CALL-FINISHED, REGISTER") {
			t.Errorf("waiting in vain: %v", err)
		}
	})
}

func TestRecordsHoldNoKeys(t *testing.T) {
	var observed []Request
	crm := New(Options{Observe: func(r Request, _ []Violation) { observed = append(observed, r) }})
	s := newSender(t, crm)
	s.play(answered("1.1"))
	raw, err := json.Marshal(append(crm.Requests(), observed...))
	if err != nil {
		t.Fatal(err)
	}
	if crm.LeakedIn(raw) || len(observed) != 10 {
		t.Errorf("%d observed; %s", len(observed), raw)
	}
	if !crm.LeakedIn([]byte("key: "+s.key)) || !crm.LeakedIn([]byte("test-api-key")) {
		t.Error("a leak is not noticed")
	}
}

func TestCallsAreInTheOrderTheyBegan(t *testing.T) {
	crm := New(Options{})
	s := newSender(t, crm)
	crm.ClickToCall("never called")
	for _, id := range []string{"2.1", "1.1", "3.1"} {
		s.send(started(id, "inbound", 0))
	}
	var ids []string
	for _, call := range crm.Calls() {
		ids = append(ids, call.ID)
	}
	if !slices.Equal(ids, []string{"2.1", "1.1", "3.1"}) {
		t.Errorf("%q", ids)
	}
}
