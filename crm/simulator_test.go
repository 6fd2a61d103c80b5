package crm

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
	"kontur-ari/internal/secret"
)

// direct is a connection to a handler without sockets, which can't be used
// inside a synctest bubble.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	request := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	request.Header = r.Header.Clone()
	recorder := httptest.NewRecorder()
	answered := make(chan bool, 1)
	go func() {
		defer func() {
			reason := recover()
			if reason != nil && reason != http.ErrAbortHandler {
				panic(reason)
			}
			answered <- reason == nil
		}()
		d.handler.ServeHTTP(recorder, request)
	}()
	select {
	case whole := <-answered:
		if !whole {
			return nil, io.EOF
		}
		return recorder.Result(), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// newClient returns a client of the simulator behind the transport, and the log
// that it writes.
func newClient(t *testing.T, change func(*Config)) (*Client, *observer.ObservedLogs) {
	t.Helper()
	config := Config{BaseURL: "http://crm.test", Workspace: "my-workspace", APIKey: secret.New("test-api-key")}
	change(&config)
	core, logs := observer.New(zapcore.DebugLevel)
	client, err := New(config, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	return client, logs
}

// newPair returns a simulator and a client that talks to it without sockets.
func newPair(t *testing.T, options crmtest.Options) (*Client, *crmtest.CRM, *observer.ObservedLogs) {
	t.Helper()
	simulator := crmtest.New(options)
	client, logs := newClient(t, func(c *Config) { c.Transport = direct{simulator} })
	return client, simulator, logs
}

// startOf is the call-started of a call.
func startOf(id string) bridge.Report {
	return changed(startedReport(), func(r *bridge.Report) { r.Call = bridge.CallID(id) })
}

func count(simulator *crmtest.CRM, kind crmtest.Kind) int {
	n := 0
	for _, request := range simulator.Requests() {
		if request.Kind == kind {
			n++
		}
	}
	return n
}

func wantResult(t *testing.T, got bridge.Result, verdict bridge.Verdict, reason string) {
	t.Helper()
	if got.Verdict != verdict || got.Reason != reason {
		t.Errorf("%s because %q (RetryAfter %s), want %s because %q", got.Verdict, got.Reason, got.RetryAfter, verdict, reason)
	}
}
