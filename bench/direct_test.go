package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"kontur-ari/bridge"
	konturcrm "kontur-ari/crm"
	"kontur-ari/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sentRequest is a request in which every moment is replaced by the same one.
type sentRequest struct{ Path, Body string }

var anyMoment = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d`)

func newSentRequest(path string, body []byte) sentRequest {
	return sentRequest{path[bytes.LastIndexByte([]byte(path), '/')+1:], anyMoment.ReplaceAllString(string(body), "2026-11-23T12:00:00.000+00:00")}
}

// recorder is a CRM without a network.
type recorder struct{ requests []sentRequest }

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	answer := []byte(authorised)
	if request.ContentLength > 0 {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		r.requests = append(r.requests, newSentRequest(request.URL.Path, body))
		if answer = []byte(`"OK"`); kindOf(request.URL.Path, body) == started {
			answer = appendStarted(nil, callOf(body))
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(answer)), Request: request}, nil
}

// The yardstick is fair only if it makes the same requests.
func TestTheYardstickMakesTheRequestsOfTheDaemon(t *testing.T) {
	events, err := readScript("..", true)
	if err != nil {
		t.Fatal(err)
	}
	staff, err := office()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{script: events, office: staff}
	const call = 1234
	batches, err := b.batches(call)
	if err != nil {
		t.Fatal(err)
	}
	var daemon recorder
	client, err := konturcrm.New(konturcrm.Config{BaseURL: "http://crm", Workspace: "bench", APIKey: secret.New("key"), Transport: &daemon}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var identity bridge.Identity
	for _, batch := range batches {
		for _, report := range batch.Reports {
			result := client.Send(t.Context(), report, identity)
			if result.Verdict != bridge.Delivered {
				t.Fatalf("%s: %s", report.Kind, result.Reason)
			}
			if report.Kind == bridge.ReportStarted {
				identity = result.Learnt
			}
		}
	}

	var direct []sentRequest
	var known directIdentity
	calls := make(map[string]string)
	for i := range events {
		var event directEvent
		if err := json.Unmarshal(events.appendEvent(nil, call, i), &event); err != nil {
			t.Fatal(err)
		}
		for _, made := range event.requests(calls) {
			if cause[made.kind] != i {
				t.Errorf("request %d comes of event %d, not %d", made.kind, i, cause[made.kind])
			}
			path, body := write(made, known)
			direct = append(direct, newSentRequest("/"+path, body))
			if made.kind == started {
				if err := json.Unmarshal(appendStarted(nil, callOf(body)), &known); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if len(direct) != requestsPerCall {
		t.Errorf("%d requests, not %d", len(direct), requestsPerCall)
	}
	if len(calls) != 0 {
		t.Errorf("the yardstick keeps %v of a call that is over", calls)
	}
	if diff := cmp.Diff(daemon.requests, direct); diff != "" {
		t.Errorf("(-daemon +yardstick):\n%s", diff)
	}
}
