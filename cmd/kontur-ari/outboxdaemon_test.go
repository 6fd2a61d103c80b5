package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/ari/aritest"
	"kontur-ari/crm/crmtest"
)

func TestRetriedDeadLettersReachTheCRMInTheOrderOfTheirCall(t *testing.T) {
	switchboard := aritest.Start(t)
	events, err := aritest.ReadEvents("../../ari/testdata/missed.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	strict := crmtest.NewServer(crmtest.Options{})
	defer strict.Close()
	strict.Fail(crmtest.Rule{Status: http.StatusConflict, Body: `{"status":"notSupported","message":"The integration is paused"}`})
	d := startDaemon(t, switchboard.URL, strict.URL)
	d.awaitReady()
	switchboard.Replay(t.Context(), events, 1000)
	const refused = 6
	for deadline := time.Now().Add(patience); strings.Count(d.log.String(), "kept as a dead letter") < refused; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the CRM refuses everything, and the log does not say so")
		}
	}
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}

	o := office{d.storage, writeFile(t, "office.yaml", fmt.Sprintf("storage: {directory: %q}\n", d.storage))}
	got := o.mustOutbox(t, "retry", "--all", "--reason", "integration is paused")
	if want := fmt.Sprintf("%d dead letters of 1 call to be sent again", refused); !strings.Contains(got, want) {
		t.Errorf("retry does not say %q: %s", want, got)
	}

	mended := crmtest.NewServer(crmtest.Options{})
	defer mended.Close()
	again := startDaemonOn(t, d.storage, switchboard.URL, mended.URL)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := mended.WaitOver(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if code := again.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	want := []string{"started(inbound)", "L1 appeared", "L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER"}
	if diff := cmp.Diff(want, mended.Calls()[0].Sequence()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if violations := mended.Violations(); len(violations) > 0 {
		t.Errorf("violations: %v", violations)
	}
	if got := o.mustOutbox(t, "list"); got != "waiting: 0 reports of 0 calls\ndead letters: 0\n" {
		t.Errorf("what is left: %s", got)
	}
}

// relay forwards to a CRM that a test can replace.
type relay struct{ to atomic.Pointer[crmtest.CRM] }

func (r *relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.to.Load().ServeHTTP(w, request)
}

func TestARunningDaemonSendsRetriedDeadLetters(t *testing.T) {
	switchboard := aritest.Start(t)
	refusing, mended := crmtest.New(crmtest.Options{}), crmtest.New(crmtest.Options{})
	refusing.Fail(crmtest.Rule{Status: http.StatusConflict, Body: `{"status":"notSupported","message":"The integration is paused"}`})
	var crm relay
	crm.to.Store(refusing)
	server := httptest.NewServer(&crm)
	defer server.Close()
	d := startDaemon(t, switchboard.URL, server.URL)
	d.awaitReady()
	missedCall(t, switchboard)
	eventually(t, "the CRM has refused everything", func() bool { return strings.Count(d.log.String(), "kept as a dead letter") == 6 })

	crm.to.Store(mended)
	o := office{d.storage, writeFile(t, "office.yaml", fmt.Sprintf("storage: {directory: %q}\n", d.storage))}
	o.mustOutbox(t, "retry", "--all")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := mended.WaitOver(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if violations := mended.Violations(); len(violations) > 0 {
		t.Errorf("violations: %v", violations)
	}
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}
