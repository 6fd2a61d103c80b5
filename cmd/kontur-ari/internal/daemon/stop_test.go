package daemon

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/ari/aritest"
	"kontur-ari/bridge/store"
	"kontur-ari/configs"
	"kontur-ari/crm/crmtest"
	"kontur-ari/internal/secret"
)

// observed returns an empty daemon, and what it logs.
func observed() (*Daemon, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	return &Daemon{log: zap.New(core), failed: make(chan error, 1)}, logs
}

// testConfig is the configuration of a daemon beside a switch and a CRM of tests.
func testConfig(t *testing.T, ariURL, crmURL string) configs.Config {
	t.Helper()
	cfg := benchConfig()
	cfg.Asterisk.URL, cfg.Asterisk.Username, cfg.Asterisk.Password = ariURL, aritest.Username, secret.New(aritest.Password)
	cfg.Kontur.BaseURL, cfg.Kontur.Workspace, cfg.Kontur.APIKey = crmURL, "my-workspace", secret.New("test-api-key")
	cfg.Admin.Listen, cfg.Server.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Storage.Directory = filepath.Join(t.TempDir(), "storage")
	return cfg
}

func newTestDaemon(t *testing.T, cfg configs.Config) *Daemon {
	t.Helper()
	d, err := New(t.Context(), cfg, Options{Version: "test", Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return d
}

func stopWithin(d *Daemon, limit time.Duration) (lasted time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	began := time.Now()
	err = d.Stop(ctx)
	return time.Since(began), err
}

// A recordings directory on a hung network file system must not keep the events that
// arrived from being stored, nor the outbox from being left in order.
func TestAStopIsBoundedWhileRecordingsHang(t *testing.T) {
	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{})
	defer simulator.Close()
	simulator.SetDown(true)
	cfg := testConfig(t, switchboard.URL, simulator.URL)
	d := newTestDaemon(t, cfg)

	// Opening a pipe for reading waits until it is opened for writing, as a file of a
	// server that doesn't answer does.
	pipe := filepath.Join(t.TempDir(), "recording.wav")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	opening, opened := make(chan struct{}), make(chan struct{})
	courier := upkeep("the recordings", func(context.Context) {
		close(opening)
		defer close(opened)
		if file, err := os.Open(pipe); err != nil {
			t.Error(err)
		} else if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range d.stages {
		if d.stages[i].parts[0].name == d.upkeep()[0].name {
			d.stages[i].parts = append(d.stages[i].parts, courier)
		}
	}
	d.Start()
	<-opening
	eventually(t, "events flow", func() bool { return len(d.missing()) == 0 })
	const calls = 20
	switchboard.Emit(missedCalls(2 * calls)...)
	eventually(t, "every event has arrived", func() bool { return d.source.Stats().Delivered == 1+2*calls })

	const limit = 4 * time.Second
	lasted, err := stopWithin(d, limit)
	if lasted > limit {
		t.Errorf("the stop took %v", lasted)
	}
	if err == nil || err.Error() != "the recordings did not stop in time: context deadline exceeded" {
		t.Errorf("the stop returns %v", err)
	}
	file, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	<-opened
	if err := file.Close(); err != nil {
		t.Error(err)
	}

	checkStored(t, cfg.Storage.Directory, 1+2*calls)
	simulator.SetDown(false)
	again := newTestDaemon(t, cfg)
	again.Start()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := simulator.WaitOver(ctx, calls); err != nil {
		t.Error(err)
	}
	if _, err := stopWithin(again, patience); err != nil {
		t.Error(err)
	}
	if violations := simulator.Violations(); len(violations) > 0 {
		t.Errorf("violations: %v", violations)
	}
}

// checkStored checks how many events a store holds.
func checkStored(t *testing.T, directory string, want int) {
	t.Helper()
	history, err := store.OpenHistory(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := history.Close(); err != nil {
			t.Error(err)
		}
	}()
	all, err := history.Journal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored := 0
	if err := history.Events(t.Context(), all, func(store.Event) error { stored++; return nil }); err != nil || stored != want {
		t.Errorf("%d events are stored, want %d; error %v", stored, want, err)
	}
}

// All ports and the store are free after a failed start, and after a stop without a
// start.
func TestADaemonThatWasNotStartedLeavesNothing(t *testing.T) {
	cfg := testConfig(t, "http://127.0.0.1:1/ari", "http://127.0.0.1:1")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bad := cfg
	bad.Admin.Listen = taken.Addr().String()
	if _, err := New(t.Context(), bad, Options{Version: "test", Log: zap.NewNop()}); err == nil || !strings.Contains(err.Error(), "admin.listen") {
		t.Errorf("with a port that is taken: %v", err)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	d := newTestDaemon(t, cfg)
	addresses := []string{d.admin.listener.Addr().String(), d.server.Address().String()}
	if _, err := stopWithin(d, patience); err != nil {
		t.Error(err)
	}
	for _, address := range addresses {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := stopWithin(newTestDaemon(t, cfg), patience); err != nil {
		t.Error(err)
	}
}
