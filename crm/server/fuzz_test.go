package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

const fuzzKey = "the-good-key"

// witness is a Commander that compares each command with what may reach it.
type witness struct {
	t        *testing.T
	commands atomic.Int64
}

func (w *witness) Call(_ context.Context, c bridge.CallCommand) error {
	w.commands.Add(1)
	if id, err := communication("", c.CommunicationID); err != nil || id != c.CommunicationID {
		w.t.Errorf("communication %q", c.CommunicationID)
	}
	w.bounded(c.FromUserID, 1)
	w.bounded(c.ToUserID, 0)
	w.bounded(c.ClientPhone, 0)
	return nil
}

func (w *witness) Hangup(_ context.Context, c bridge.HangupCommand) error {
	w.commands.Add(1)
	if id, err := communication("", c.CommunicationID); (err != nil || id != c.CommunicationID) && c.CommunicationID != "" {
		w.t.Errorf("communication %q", c.CommunicationID)
	}
	if c.CommunicationID == "" {
		w.bounded(string(c.Leg), 1)
	}
	w.bounded(string(c.Leg), 0)
	w.bounded(c.UserID, 1)
	return nil
}

func (w *witness) bounded(text string, least int) {
	if n := len([]rune(text)); n < least || n > longestField || strings.ToValidUTF8(text, "") != text {
		w.t.Errorf("the text %q reached the Commander", text)
	}
}

// FuzzServer sends any request that net/http can hand over: the server never
// panics, always answers, with the echo, and obeys no request without the key.
func FuzzServer(f *testing.F) {
	const guid = "30a0c1d2-0000-4000-8000-00000000b4e0"
	for _, path := range []string{
		"/api/v1/w/communications/call", "/api/v1/w/communications/hangup", "/api/v1/w/communications/" + guid + "/hangup",
		"/communications/sync", "/api/v1/w/setup/upgrade", "/api/v1/other/communications/call", "/",
	} {
		for _, key := range []string{fuzzKey, "", "bad"} {
			f.Add("POST", path, key, "echo", "application/json; charset=utf-8", "", `{"communicationId":"`+guid+`","fromUserId":"u","userId":"u","realtimeCallItemId":"1.2"}`)
		}
	}
	f.Add("GET", "/api/v1/w/communications/call", fuzzKey, "", "text/plain", "203.0.113.1, 127.0.0.1", "{}")
	f.Add("POST", "/api/v1/w/communications/call", fuzzKey, "e", "", "[::1]:80", `{"communicationId":null,"x":[[[{"a":"\ud800"}]]]}`)
	f.Fuzz(func(t *testing.T, method, path, key, echo, contentType, forwarded, body string) {
		if strings.ContainsFunc(key+echo, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return // net/http refuses these itself
		}
		w := &witness{t: t}
		s, recorder := newFuzzServer(t, w), httptest.NewRecorder()
		r := &http.Request{
			Method: method, URL: &url.URL{Path: path}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: http.NoBody, RemoteAddr: "127.0.0.1:4711", ContentLength: -1,
		}
		for name, value := range map[string]string{headerKey: key, headerEcho: echo, "Content-Type": contentType, "X-Forwarded-For": forwarded} {
			if value != "" {
				r.Header.Set(name, textproto.TrimString(value))
			}
		}
		r.Body = http.MaxBytesReader(nil, readCloser{strings.NewReader(body)}, 1<<20)
		s.ServeHTTP(recorder, r)

		answer := recorder.Result()
		if answer.StatusCode < 200 || answer.StatusCode > 503 || answer.Header.Get(headerEcho) != r.Header.Get(headerEcho) || recorder.Body.Len() == 0 {
			t.Errorf("answer %d %q with echo %q for %q", answer.StatusCode, recorder.Body, answer.Header.Get(headerEcho), echo)
		}
		stats := s.Stats()
		if stats.Failed != 0 {
			t.Errorf("a fault of ours: %+v", stats)
		}
		done := stats.Calls + stats.Hangups + stats.Webhooks
		if stats.Calls+stats.Hangups != w.commands.Load() || done > 1 || (done == 1) != (answer.StatusCode == http.StatusOK) {
			t.Errorf("answer %d, %d commands, counted %+v", answer.StatusCode, w.commands.Load(), stats)
		}
		if done > 0 && (r.Header.Get(headerKey) != fuzzKey || method != http.MethodPost || len(body) > 64<<10 && stats.Webhooks == 0) {
			t.Errorf("%s %s with key %q was obeyed", method, path, key)
		}
	})
}

func newFuzzServer(t *testing.T, commander bridge.Commander) *Server {
	t.Helper()
	config, err := Config{Listen: "127.0.0.1:0", Workspace: "w"}.complete()
	if err != nil {
		t.Fatal(err)
	}
	check := checkFunc(func(_ context.Context, key string) (bool, error) { return key == fuzzKey, nil })
	s, err := assemble(config, check, commander, Hooks{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(); s.keys.close() })
	return s
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
