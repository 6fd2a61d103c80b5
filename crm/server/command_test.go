package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/crm/server"
)

func TestCommandsReachTheSwitch(t *testing.T) {
	const base = "/kontur"
	upper := strings.ToUpper(guid)
	for _, test := range []struct {
		name, path, body string
		calls            []bridge.CallCommand
		hangups          []bridge.HangupCommand
	}{
		{name: "call a client", path: callPath, body: goodCall,
			calls: []bridge.CallCommand{{CommunicationID: guid, FromUserID: "user-1", ClientPhone: "79997775533"}}},
		{name: "call a colleague", path: callPath, body: `{"toUserId":"user-2","fromUserId":"user-1","communicationId":"` + upper + `","clientPhone":null}`,
			calls: []bridge.CallCommand{{CommunicationID: guid, FromUserID: "user-1", ToUserID: "user-2"}}},
		{name: "unknown fields", path: callPath, body: `{"communicationId":"` + guid + `","new":{"a":[1,{"b":null}],"fromUserId":"user-9"},"fromUserId":"user-1","also":1e99}`,
			calls: []bridge.CallCommand{{CommunicationID: guid, FromUserID: "user-1"}}},
		{name: "hang up a leg", path: hangPath, body: goodHang,
			hangups: []bridge.HangupCommand{{Leg: "1795401475.25", UserID: "user-1"}}},
		{name: "hang up a communication", path: "/api/v1/my-workspace/communications/" + upper + "/hangup", body: `{"userId":"user-1"}`,
			hangups: []bridge.HangupCommand{{CommunicationID: guid, UserID: "user-1"}}},
		{name: "hang up a leg of a communication", path: "/api/v1/my-workspace/communications/" + guid + "/hangup", body: goodHang,
			hangups: []bridge.HangupCommand{{CommunicationID: guid, Leg: "1795401475.25", UserID: "user-1"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, func(c *server.Config) { c.BasePath = base })
			s.expect(s.send(sent{path: base + test.path, body: test.body}), http.StatusOK, `"OK"`)
			if diff := cmp.Diff(test.calls, s.switchboard.calls) + cmp.Diff(test.hangups, s.switchboard.hangups); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			stats := s.server.Stats()
			if int(stats.Calls) != len(test.calls) || int(stats.Hangups) != len(test.hangups) {
				t.Errorf("counted %+v", stats)
			}
		})
	}
}

func TestWebhooksSetTheirWorkGoing(t *testing.T) {
	for _, test := range []struct {
		path            string
		synced, updated int
	}{
		{"/communications/sync", 1, 0},
		{"/setup/upgrade", 0, 1},
		{"/api/v1/my-workspace/communications/sync", 1, 0},
		{"/api/v1/my-workspace/setup/upgrade", 0, 1},
	} {
		s := newStage(t, nil)
		s.expect(s.send(sent{path: test.path}), http.StatusOK, `"OK"`)
		s.expect(s.send(sent{path: test.path, header: map[string]string{"X-XCOM-AccessKey": "bad"}}), http.StatusUnauthorized, `"Unauthorized"`)
		if s.switchboard.synced != test.synced || s.switchboard.updated != test.updated || s.server.Stats().Webhooks != 1 {
			t.Errorf("%s: synchronised %d times, upgraded %d times, counted %+v", test.path, s.switchboard.synced, s.switchboard.updated, s.server.Stats())
		}
		s.switchboard.err = errors.New("store: disk full")
		answer := s.send(sent{path: test.path})
		s.expect(answer, http.StatusInternalServerError, "")
		if strings.Contains(answer.body, "disk") {
			t.Errorf("the answer shows an internal error: %s", answer.body)
		}
	}
}

func TestTheAnswerNamesWhyACommandIsNotObeyed(t *testing.T) {
	const lists = `"invalidDatas":[],"invalidConstraints":{},`
	refused := &bridge.Refusal{Status: bridge.RefusedNumber, Message: "The number is not allowed"}
	const lines = `"status":"numberNotAllowed","message":"The number is not allowed"}`
	for _, test := range []struct {
		name, path, body string
		err              error
		status           int
		want             string
	}{
		{"call refused", callPath, goodCall, refused, 409, "{" + lists + lines},
		{"hangup refused", hangPath, goodHang, errors.Join(refused), 409, "{" + lines},
		{"call failed", callPath, goodCall, errors.New("dial tcp 127.0.0.1:8088"), 500,
			"{" + lists + `"status":"internalError","message":"Something went wrong here; the log of kontur-ari says what"}`},
		{"hangup late", hangPath, goodHang, context.DeadlineExceeded, 503,
			`{"status":"unavailable","message":"It could not be done in time; try again later"}`},
		{"call without room", callPath, goodCall, fmt.Errorf("storing: %w", bridge.ErrNoRoom), 503,
			"{" + lists + `"status":"unavailable","message":"It can't be stored now; try again later"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, nil)
			s.switchboard.err = test.err
			s.expect(s.send(sent{path: test.path, body: test.body}), test.status, test.want)
			stats := s.server.Stats()
			if stats.Calls+stats.Hangups != 0 || stats.Refused[bridge.RefusedNumber]+stats.Failed != 1 {
				t.Errorf("counted %+v", stats)
			}
		})
	}
}

func TestAFaultInACommandStillIsAnswered(t *testing.T) {
	s := newStage(t, nil)
	s.switchboard.during = func(context.Context) { panic("index out of range") }
	s.expect(s.send(sent{}), http.StatusInternalServerError, "")
	s.switchboard.during = nil
	s.expect(s.send(sent{}), http.StatusOK, `"OK"`)
	if s.server.Stats().Failed != 1 || s.logs.FilterMessage("a request met a fault of ours").Len() != 1 {
		t.Errorf("counted %+v", s.server.Stats())
	}
}

func TestEachCommandIsOneLineInTheLog(t *testing.T) {
	s := newStage(t, nil)
	s.send(sent{})
	s.switchboard.err = &bridge.Refusal{Status: bridge.RefusedRate, Message: "Too many"}
	s.send(sent{path: hangPath, body: goodHang})
	for message, want := range map[string]map[string]any{
		"command obeyed":  {"request": "call", "communication": guid, "user": "user-1", "status": "OK", "peer": "127.0.0.1"},
		"command refused": {"request": "hangup", "leg": "1795401475.25", "user": "user-1", "status": "tooManyCalls", "peer": "127.0.0.1"},
	} {
		lines := s.logs.FilterMessage(message).All()
		if len(lines) != 1 {
			t.Errorf("%q is there %d times", message, len(lines))
			continue
		}
		for field, value := range want {
			if got := lines[0].ContextMap()[field]; got != value {
				t.Errorf("%q: %s is %v, want %v", message, field, got, value)
			}
		}
	}
}

func TestMalformedBodiesAreNamedAndCommandNothing(t *testing.T) {
	s := newStage(t, nil)
	long := strings.Repeat("я", 201)
	for _, test := range []struct{ name, path, body, want string }{
		{"empty", callPath, " ", "body is empty"},
		{"truncated", callPath, goodCall[:40], "breaks off"},
		{"no object", callPath, `["communicationId"]`, "not a JSON object"},
		{"null", callPath, `null`, "not a JSON object"},
		{"no JSON", callPath, `communicationId=1`, "not JSON in UTF-8"},
		{"single quotes", callPath, `{'fromUserId':'user-1'}`, "not JSON in UTF-8"},
		{"byte order mark", callPath, "\ufeff" + goodCall, "not JSON in UTF-8"},
		{"not UTF-8", callPath, `{"communicationId":"` + guid + `","fromUserId":"` + "\xff\"}", "not JSON in UTF-8"},
		{"lone surrogate", callPath, `{"communicationId":"` + guid + `","fromUserId":"\ud800"}`, "not JSON in UTF-8"},
		{"duplicate", callPath, strings.Replace(goodCall, "{", `{"fromUserId":"user-2",`, 1), "twice"},
		{"duplicate by escape", callPath, strings.Replace(goodCall, "{", `{"fromUser\u0049d":"user-2",`, 1), "twice"},
		{"duplicate unknown", callPath, strings.Replace(goodCall, "{", `{"x":1,"x":1,`, 1), "twice"},
		{"other letters", callPath, strings.Replace(goodCall, "fromUserId", "FromUserID", 1), "fromUserId is missing"},
		{"trailing", callPath, goodCall + goodCall, "behind the JSON object"},
		{"trailing garbage", callPath, goodCall + "]", "behind the JSON object"},
		{"number", callPath, strings.Replace(goodCall, `"79997775533"`, `79997775533`, 1), "clientPhone is not a text"},
		{"object", callPath, strings.Replace(goodCall, `"user-1"`, `{"id":"user-1"}`, 1), "fromUserId is not a text"},
		{"depth 10,000", callPath, `{"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}", "nested too deep"},
		{"depth 10,000 of objects", callPath, strings.Repeat(`{"x":`, 10_000) + "1" + strings.Repeat("}", 10_000), "nested too deep"},
		{"too long", callPath, strings.Replace(goodCall, "user-1", long, 1), "fromUserId is too long; send 200 characters"},
		{"no communication", callPath, `{"fromUserId":"user-1"}`, "communicationId is missing"},
		{"null communication", callPath, `{"communicationId":null,"fromUserId":"user-1"}`, "communicationId is missing"},
		{"no GUID", callPath, strings.Replace(goodCall, guid, "30a...b4e", 1), "communicationId is not a GUID"},
		{"GUID in braces", callPath, strings.Replace(goodCall, guid, "{"+guid+"}", 1), "communicationId is not a GUID"},
		{"GUID of zeros", callPath, strings.Replace(goodCall, guid, "00000000-0000-0000-0000-000000000000", 1), "communicationId is not a GUID"},
		{"call without a user", callPath, `{"communicationId":"` + guid + `"}`, "fromUserId is missing"},
		{"no leg", hangPath, `{"userId":"user-1"}`, "realtimeCallItemId is missing"},
		{"leg too long", hangPath, strings.Replace(goodHang, "1795401475.25", long, 1), "realtimeCallItemId is too long"},
		{"hangup without a user", hangPath, `{"realtimeCallItemId":"1"}`, "userId is missing"},
		{"hangup by path without a user", "/api/v1/my-workspace/communications/" + guid + "/hangup", `{}`, "userId is missing"},
		{"no GUID in the path", "/api/v1/my-workspace/communications/1795401475.25/hangup", goodHang, "id in the path is not a GUID"},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := s.send(sent{path: test.path, body: test.body})
			s.expect(answer, http.StatusBadRequest, "")
			if !strings.Contains(answer.body, test.want) || !strings.Contains(answer.body, `"status":"invalidArgs"`) {
				t.Errorf("answer %s, want one with %q", answer.body, test.want)
			}
			if lists := strings.Contains(answer.body, `"invalidDatas":[],"invalidConstraints":{}`); lists != (test.path == callPath) {
				t.Errorf("answer %s", answer.body)
			}
		})
	}
	if n := s.switchboard.commands(); n != 0 {
		t.Errorf("%d commands reached the switch", n)
	}
}

func TestACommandGoesOnWhenItsConnectionBreaks(t *testing.T) {
	s := newStage(t, nil)
	began, broken, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	s.switchboard.during = func(ctx context.Context) {
		close(began)
		<-broken
		ended <- ctx.Err()
	}
	conn := s.dial()
	if _, err := conn.Write([]byte(head(callPath, "Content-Length: "+itoa(len(goodCall))) + goodCall)); err != nil {
		t.Fatal(err)
	}
	<-began
	conn.Close()
	close(broken)
	if err := <-ended; err != nil {
		t.Errorf("the command was broken off: %v", err)
	}
}

func TestShutdownIsBounded(t *testing.T) {
	x := &switchboard{}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Workspace: workspace}, newCRM(), x, server.Hooks{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	began, ended := make(chan struct{}), make(chan error, 1)
	x.during = func(ctx context.Context) { close(began); <-ctx.Done(); ended <- ctx.Err() }
	s := &stage{T: t, switchboard: x, server: srv, address: srv.Address().String()}
	ran := make(chan error, 1)
	go func() { ran <- srv.Run() }()
	if _, err := s.dial().Write([]byte(head(callPath, "Content-Length: "+itoa(len(goodCall))) + goodCall)); err != nil {
		t.Fatal(err)
	}
	<-began
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := srv.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown gave %v, want that it broke something off", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the command ended by %v, want that it was broken off", err)
	}
	if err := <-ran; err != nil {
		t.Errorf("Run gave %v", err)
	}
}

func TestATakenPortIsAnErrorOfTheStart(t *testing.T) {
	s := newStage(t, nil)
	_, err := server.New(server.Config{Listen: s.address, Workspace: workspace}, s.crm, s.switchboard, server.Hooks{}, zap.NewNop())
	if err == nil || !strings.Contains(err.Error(), "server.listen: ") {
		t.Errorf("error %v, want one that names server.listen", err)
	}
	free, err := server.New(server.Config{Listen: "127.0.0.1:0", Workspace: workspace}, s.crm, s.switchboard, server.Hooks{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if err := free.Shutdown(t.Context()); err != nil {
		t.Errorf("shutting down what never ran: %v", err)
	}
	if err := free.Run(); err != nil {
		t.Errorf("running what was shut down: %v", err)
	}
}
