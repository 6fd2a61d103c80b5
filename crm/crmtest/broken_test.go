package crmtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// broken sends a call-started to a CRM under one rule, and returns what the client
// got of the answer.
func broken(t *testing.T, rule Rule, patience time.Duration) (server *Server, body string, err error) {
	t.Helper()
	server = NewServer(Options{})
	t.Cleanup(server.Close)
	server.Fail(rule)
	key := newSender(t, server.CRM).key
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	report := `{"timestamp":"` + at(0) + `","externalId":"1.1","direction":"internal"}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/api/v1/my-workspace/"+callbacks+string(KindStarted), strings.NewReader(report))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(headerAccessKey, key)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return server, "", err
	}
	defer func() { _ = response.Body.Close() }() // it has been read
	raw, err := io.ReadAll(response.Body)
	return server, string(raw), err
}

func TestAResetIsNoOrderlyEnd(t *testing.T) {
	for _, effective := range []bool{false, true} {
		server, _, err := broken(t, Rule{CloseConnection: !effective, DropAnswer: effective, Reset: true}, time.Minute)
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("request taken %t: %v", effective, err)
		}
		if _, known := server.Call("1.1"); known != effective {
			t.Errorf("the call is known: %t, want %t", known, effective)
		}
	}
}

func TestADrippingAnswerComesInTheEnd(t *testing.T) {
	server, body, err := broken(t, Rule{Status: http.StatusOK, Body: `"OK"`, Drip: time.Millisecond}, time.Minute)
	if err != nil || body != `"OK"` {
		t.Errorf("%q %v", body, err)
	}
	if _, known := server.Call("1.1"); !known {
		t.Error("the call is not known")
	}
}

func TestADrippingAnswerOutlastsPatience(t *testing.T) {
	server, body, err := broken(t, Rule{Drip: time.Hour}, 50*time.Millisecond)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%q %v", body, err)
	}
	if _, known := server.Call("1.1"); !known {
		t.Error("the call is not known")
	}
}

func TestALateAnswerIsOfARequestThatWasTakenAtOnce(t *testing.T) {
	server, _, err := broken(t, Rule{Late: time.Hour}, 50*time.Millisecond)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, known := server.Call("1.1"); !known {
		t.Error("the call is not known")
	}
	if server, _, err := broken(t, Rule{Late: time.Millisecond}, time.Minute); err != nil {
		t.Error(err, server.Summary())
	}
}
