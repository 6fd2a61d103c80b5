package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthAndReadiness(t *testing.T) {
	var storeError error
	var missing []string
	a := &admin{
		healthy: func(context.Context) error { return storeError },
		missing: func() []string { return missing },
		details: func() map[string]any { return map[string]any{"openCalls": 3} },
	}
	server := httptest.NewServer(a.handler())
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
