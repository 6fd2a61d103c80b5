package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
)

// deployment is a stage on which kontur-ari runs and reports the calls to a CRM.
type deployment struct {
	*stage
	crm    *crmtest.CRM
	daemon *lab.Daemon
	// calls is how many calls the CRM must have received in the end. repeats is how
	// many requests may have been repeated: one for each crash.
	calls, repeats int
}

// program is kontur-ari, built when the first test needs it.
var program = sync.OnceValues(func() (string, error) {
	return lab.BuildDaemon(context.Background(), programDirectory)
})

// programDirectory is where it is built; TestMain makes and removes it.
var programDirectory string

// newDeployment sets the stage, starts kontur-ari and returns when it is ready.
func newDeployment(t *testing.T, change ...func(*lab.DaemonConfig)) *deployment {
	return newDeploymentOn(t, nil, change...)
}

// newDeploymentOn is newDeployment on an exchange with the wanted options. Where wanted is
// nil, any exchange will do.
func newDeploymentOn(t *testing.T, wanted *lab.Options, change ...func(*lab.DaemonConfig)) *deployment {
	// Build first: the time that this takes must not count against the test.
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, wanted)
	server := crmtest.NewServer(crmtest.Options{})
	t.Cleanup(server.Close)
	// Each test has an application name of its own, because Asterisk needs a moment to
	// forget the one before.
	config := lab.DaemonConfig{
		Lab: s.Lab, Application: "kontur-ari-" + s.client,
		CRM: server.URL, Workspace: "my-workspace", APIKey: "test-api-key",
	}
	for _, c := range change {
		c(&config)
	}
	daemon, err := lab.NewDaemon(path, t.TempDir(), config)
	s.must(err)
	d := &deployment{stage: s, crm: server.CRM, daemon: daemon}
	t.Cleanup(d.stop)
	s.must(daemon.Start(s.ctx))
	return d
}

// stop ends kontur-ari, which must exit with code 0. It checks what no test may leave
// behind, and logs what happened if the test has failed.
func (d *deployment) stop() {
	if d.daemon.Running() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), 20*time.Second)
		defer cancel()
		if code, err := d.daemon.Terminate(ctx); err != nil || code != 0 {
			d.Errorf("kontur-ari ended with code %d, %v", code, err)
		}
	} else if !d.Failed() {
		d.Error("kontur-ari ended by itself")
	}
	if repeats := d.crm.Repeats(); repeats > d.repeats {
		d.Errorf("the CRM received %d requests twice, after %d crashes", repeats, d.repeats)
	}
	d.searchStorage()
	// A call that comes after all the expected ones is one too many.
	if calls := len(d.crm.Calls()); !d.Failed() && calls != d.calls {
		d.Errorf("the CRM received %d calls in the end and not %d", calls, d.calls)
	}
	for _, violation := range d.crm.Violations() {
		d.Errorf("violation: %s", violation)
	}
	for _, words := range []string{"DATA RACE", "panic: ", "fatal error: ", "not fully understood"} {
		if strings.Contains(d.daemon.Log(), words) {
			d.Errorf("kontur-ari's log says %s", words)
		}
	}
	if d.crm.LeakedIn([]byte(d.daemon.Log())) || strings.Contains(d.daemon.Log(), d.Password) {
		d.Error("kontur-ari's log holds a secret")
	}
	if d.Failed() {
		d.Logf("---- the CRM\n%s", d.crm.Summary())
		d.keep()
	}
}

// searchStorage looks for secrets in everything that the daemon has written.
func (d *deployment) searchStorage() {
	files, err := filepath.Glob(filepath.Join(d.daemon.Storage(), "*"))
	if err != nil || len(files) == 0 {
		d.Errorf("the daemon's storage: %v, %v", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			continue // a folder of sound files
		}
		content, err := os.ReadFile(file)
		if err != nil {
			d.Error(err)
		}
		if d.crm.LeakedIn(content) || strings.Contains(string(content), d.Password) {
			d.Errorf("a secret is in %s", filepath.Base(file))
		}
	}
}

// keep saves the logs and the journal of a failed test in testdata/failures.
func (d *deployment) keep() {
	directory := filepath.Join("testdata", "failures", strings.ReplaceAll(d.Name(), "/", "_"))
	if err := os.MkdirAll(directory, 0o755); err != nil {
		d.Log(err)
		return
	}
	var requests strings.Builder
	for _, request := range d.crm.Requests() {
		fmt.Fprintf(&requests, "%s %d %s\n", request.Kind, request.Status, request.Raw)
	}
	for name, text := range map[string]string{
		"kontur-ari.log": d.daemon.Log(), "requests.log": requests.String(), "asterisk.log": d.AsteriskLog(),
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o644); err != nil {
			d.Log(err)
		}
	}
	// kontur-ari replay shows the case from these files.
	for _, name := range []string{"kontur-ari.db", "kontur-ari.db-wal"} {
		content, err := os.ReadFile(filepath.Join(d.daemon.Storage(), name))
		if err == nil {
			err = os.WriteFile(filepath.Join(directory, name), content, 0o644)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			d.Log(err)
		}
	}
	d.Logf("the logs and the journal are in e2e/%s; the last lines of kontur-ari's:\n%s", directory, lastWords(d.daemon.Log()))
}

// lastWords returns the last 40 lines of a JSON log that aren't of level debug.
func lastWords(log string) string {
	var words []string
	for line := range strings.Lines(log) {
		var entry struct{ Level string }
		if json.Unmarshal([]byte(line), &entry) != nil || entry.Level != "debug" {
			words = append(words, line)
		}
	}
	return strings.Join(words[max(0, len(words)-40):], "")
}

// expect waits until the CRM has received that many calls to their end, and compares
// their stories. The stories are in the order in which the calls began.
func (d *deployment) expect(stories ...[]string) {
	d.Helper()
	d.calls = len(stories)
	if err := d.crm.WaitOver(d.ctx, len(stories)); err != nil {
		d.Fatal(err)
	}
	calls := d.crm.Calls()
	// The reports of different calls arrive interleaved, so sort by when the calls began.
	slices.SortStableFunc(calls, func(a, b crmtest.Call) int {
		return a.Requests[0].Body.Timestamp.Compare(b.Requests[0].Body.Timestamp)
	})
	for i, expected := range stories {
		if received := story(calls[i], d.client); !sameStory(received, expected) {
			d.Errorf("call %d was reported as\n  %s\nand should have been\n  %s", i+1, strings.Join(received, "\n  "), strings.Join(expected, "\n  "))
		}
	}
	for _, call := range calls[len(stories):] {
		d.Errorf("a call that should not have been reported:\n  %s", strings.Join(story(call, d.client), "\n  "))
	}
}

func withoutInternal(config *lab.DaemonConfig) { config.WithoutInternal = true }

// awaitReport waits until the CRM has received an entry of [crmtest.Call.Sequence], such as
// "L1 connected", in any call.
func (d *deployment) awaitReport(what string) {
	d.Helper()
	d.must(d.crm.WaitFor(d.ctx, func(crm *crmtest.CRM) bool {
		return slices.ContainsFunc(crm.Calls(), func(call crmtest.Call) bool {
			return slices.Contains(call.Sequence(), what)
		})
	}))
}

// awaitLine waits until the story of any call holds a line.
func (d *deployment) awaitLine(line string) {
	d.Helper()
	d.must(d.crm.WaitFor(d.ctx, func(crm *crmtest.CRM) bool {
		return slices.ContainsFunc(crm.Calls(), func(call crmtest.Call) bool {
			return slices.Contains(story(call, d.client), line)
		})
	}))
}
