package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"kontur-ari/ari/aritest"
	"kontur-ari/crm/crmtest"
)

// missedCall replays the events of a call that is not answered.
func missedCall(t *testing.T, switchboard *aritest.Server) {
	t.Helper()
	events, err := aritest.ReadEvents("../../ari/testdata/missed.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	switchboard.Replay(t.Context(), events, 1000)
}

func TestAStopDeliversWhatIsReady(t *testing.T) {
	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{})
	defer simulator.Close()
	simulator.Fail(crmtest.Rule{Delay: 100 * time.Millisecond})
	d := startDaemon(t, switchboard.URL, simulator.URL)
	d.awaitReady()
	missedCall(t, switchboard)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := simulator.WaitCalls(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if registered := simulator.Calls()[0].Registered; registered {
		t.Fatal("everything was delivered before the stop: the test tests nothing")
	}
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if calls := simulator.Calls(); !calls[0].Registered || len(simulator.Violations()) > 0 {
		t.Errorf("after the stop:\n%s", simulator.Summary())
	}
}

// The ladder of a call shows the reports that were left out after an outage.
func TestTheLadderShowsWhatAnOutageLeftOut(t *testing.T) {
	t.Setenv("KONTUR_ARI_DELIVERY_COLLAPSE_AFTER", "1ms")
	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{Alone: true})
	defer simulator.Close()
	simulator.SetDown(true)
	d := startDaemon(t, switchboard.URL, simulator.URL)
	d.awaitReady()
	missedCall(t, switchboard)
	for deadline := time.Now().Add(patience); !strings.Contains(d.log.String(), "reports wait"); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the log does not say that reports wait")
		}
	}
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	simulator.SetDown(false)
	again := startDaemonOn(t, d.storage, switchboard.URL, simulator.URL)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := simulator.WaitRegistered(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if code := again.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	call := simulator.Calls()[0]
	if len(call.Requests) != 1 {
		t.Errorf("the CRM received:\n%s", simulator.Summary())
	}
	config := writeFile(t, "ladder.yaml", "storage: {directory: "+d.storage+"}\n")
	var out, stderr bytes.Buffer
	if code := run(t.Context(), []string{"ladder", "--config", config, call.ID}, &out, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	for _, line := range []string{"left out call-started", "left out call-finished", "CRM <-   register-call"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the ladder does not say %q:\n%s", line, out.String())
		}
	}
}
