package daemon

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestHealthAndReadiness(t *testing.T) {
	var storeError error
	var missing []string
	p := probes{
		healthy: func(context.Context) error { return storeError },
		missing: func() []string { return missing },
		details: func() map[string]any { return map[string]any{"openCalls": 3} },
	}
	server := httptest.NewServer(p.handler())
	defer server.Close()

	check := func(path string, status int, words string) {
		t.Helper()
		response, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := response.Body.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
		}()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != status || !strings.Contains(string(body), words) {
			t.Errorf("%s: %d %s, want %d with %q", path, response.StatusCode, body, status, words)
		}
	}

	check("/healthz", http.StatusOK, `"ok"`)
	check("/readyz", http.StatusOK, `"openCalls":3`)
	storeError = errors.New("database or disk is full")
	missing = []string{"events from Asterisk (connecting): refused"}
	check("/healthz", http.StatusServiceUnavailable, "disk is full")
	check("/readyz", http.StatusServiceUnavailable, "events from Asterisk")
	check("/", http.StatusNotFound, "")
}

func TestHealthIsServedAgainAfterItsListenerFailed(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	a, err := listenAdmin("127.0.0.1:0", probes{healthy: func(context.Context) error { return nil }}, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	p := &part{name: "health", run: a.run, drain: a.shutdown}
	p.start(func(_ *part, err error) { t.Errorf("health has ended: %v", err) })
	served := func() bool {
		response, err := http.Get("http://" + a.listener.Addr().String() + "/healthz")
		if err != nil {
			return false
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
		return response.StatusCode == http.StatusOK
	}
	eventually(t, "health is served", served)
	http.DefaultClient.CloseIdleConnections()
	if err := a.listener.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the listener is logged", func() bool { return logs.FilterLevelExact(zapcore.ErrorLevel).Len() == 1 })
	eventually(t, "health is served again", func() bool { return served() && logs.FilterMessage("health is served again").Len() == 1 })
	http.DefaultClient.CloseIdleConnections()
	if err := p.stop(t.Context()); err != nil {
		t.Error(err)
	}
	if served() {
		t.Error("health is served after the stop")
	}
}
