package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kontur-ari/ari/aritest"
	"kontur-ari/bridge/tracker"
	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
)

const (
	application = "kontur-ari"
	// perSecond is how many events a second Asterisk sends. atOnce is how many calls are
	// up at a time.
	perSecond = 50
	atOnce    = 8
	// atTheEnd is how many events a second Asterisk sends after the fault, until the
	// calls of the round are over.
	atTheEnd = 400
	// patience bounds a round. It is long because the machine may be busy, and it does
	// not measure the daemon.
	patience = 90 * time.Second
)

// policy is the Tracker's policy in the daemon's configuration.
var policy = tracker.Policy{ReportInternal: true, Application: application}

// office is one Asterisk, one daemon and one CRM.
type office struct {
	t       *testing.T
	random  *rand.Rand
	server  *aritest.Server
	crm     *crmtest.Server
	daemon  *lab.Daemon
	traffic *traffic
	judge   *judge
	// disk holds the daemon's storage if the fault needs a disk of its own, else nil.
	disk *disk
	// storage is the path of the daemon's storage on disk, or "".
	storage string
	// found is the failure of the last round.
	found error
	// healing is when the fault of this round ended.
	healing time.Time
}

// newOffice opens an office: its daemon runs, and no call is up yet.
func newOffice(t *testing.T, seed uint64, f fault) *office {
	t.Helper()
	options := crmtest.Options{Alone: f.collapses}
	o := &office{t: t, random: rand.New(rand.NewPCG(seed, 0)), server: aritest.Start(t), crm: crmtest.NewServer(options)}
	t.Cleanup(o.crm.Close)
	o.traffic = newTraffic(o.server, suite.tapes, rand.New(rand.NewPCG(seed, 1)), atOnce)
	config := lab.DaemonConfig{
		URL: o.server.URL, Username: aritest.Username, Password: aritest.Password, Application: application,
		CRM: o.crm.URL, Workspace: "my-workspace", APIKey: "test-api-key", LogLevel: "info",
		Delivery: map[string]string{"first_pause": "100ms", "longest_pause": "1s"},
	}
	if f.configure != nil {
		f.configure(&config)
	}
	if f.prepare != nil {
		if err := f.prepare(o); err != nil {
			t.Fatal(err)
		}
		config.Storage = o.storage
	}
	daemon, err := lab.NewDaemon(suite.program, t.TempDir(), config)
	if err != nil {
		t.Fatal(err)
	}
	o.daemon = daemon
	o.judge = newJudge(o)
	t.Cleanup(o.close)
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("it took more than %s", patience))
	defer cancel()
	if err := daemon.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) close() {
	if o.daemon.Running() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if code, err := o.daemon.Terminate(ctx); err != nil || code != 0 {
			o.t.Errorf("kontur-ari ended with code %d: %v", code, err)
		}
	}
	if o.t.Failed() {
		directory := filepath.Join("..", "testdata", "failures", strings.ReplaceAll(o.t.Name(), "/", "_"))
		o.t.Logf("what there is to study is in e2e/faults/%s: %v", directory, o.keep(directory))
	}
}

// keep saves the storage, the logs and the played events, for the study of a failure.
func (o *office) keep(directory string) error {
	return errors.Join(
		os.RemoveAll(directory),
		os.CopyFS(filepath.Join(directory, "storage"), os.DirFS(o.daemon.Storage())),
		os.WriteFile(filepath.Join(directory, "found.txt"), fmt.Appendln(nil, o.found), 0o600),
		os.WriteFile(filepath.Join(directory, "kontur-ari.log"), []byte(o.daemon.Log()), 0o600),
		os.WriteFile(filepath.Join(directory, "crm.txt"), []byte(o.crm.Summary()), 0o600),
		os.WriteFile(filepath.Join(directory, "played.jsonl"), o.judge.everything(), 0o600),
	)
}

// round plays calls, has a fault strike, plays the calls to their ends and compares.
func (o *office) round(f fault, number int) error {
	limit := max(f.patience, patience)
	ctx, cancel := context.WithTimeoutCause(o.t.Context(), limit, fmt.Errorf("the round took more than %s", limit))
	defer cancel()
	o.judge.begin()
	allowed, err := o.struck(ctx, f, number)
	if err != nil {
		return err
	}
	if err := o.traffic.finish(ctx, atTheEnd); err != nil {
		return fmt.Errorf("finishing the calls: %w", err)
	}
	if err := o.server.AwaitRead(ctx); err != nil {
		return err
	}
	return o.judge.compare(ctx, f, allowed)
}

// struck has a fault strike at a random moment while calls are played. A fault that is
// alone plays its calls itself.
func (o *office) struck(ctx context.Context, f fault, number int) (allowed allowance, err error) {
	if f.alone {
		return f.strike(ctx, o, number)
	}
	playing, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- o.traffic.goOn(playing, perSecond) }()
	if err = o.pause(ctx, o.between(200*time.Millisecond, 2*time.Second)); err == nil {
		allowed, err = f.strike(ctx, o, number)
	}
	stop()
	return allowed, errors.Join(err, <-done)
}

// healed notes that the fault ends now.
func (o *office) healed() { o.healing = time.Now() }

// between returns a random duration from least up to most.
func (o *office) between(least, most time.Duration) time.Duration {
	return least + time.Duration(o.random.Int64N(int64(most-least)))
}

// pause waits for a duration, or until ctx ends.
func (o *office) pause(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
