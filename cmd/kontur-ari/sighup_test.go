package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kontur-ari/ari/aritest"
	"kontur-ari/crm/crmtest"
)

const hangupIgnored = "SIGHUP is ignored"

// awaitHangups waits until a daemon has logged so many ignored SIGHUPs.
func awaitHangups(t *testing.T, log *lockedBuffer, count int) {
	t.Helper()
	for deadline := time.Now().Add(patience); strings.Count(log.String(), hangupIgnored) < count; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say %d times %q:\n%s", count, hangupIgnored, log)
		}
	}
}

// awaitReader opens a pipe as soon as another process reads it.
func awaitReader(t *testing.T, path string) *os.File {
	t.Helper()
	for deadline := time.Now().Add(patience); ; <-time.After(10 * time.Millisecond) {
		file, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		switch {
		case err == nil:
			return file
		case !errors.Is(err, syscall.ENXIO), time.Now().After(deadline):
			t.Fatal(err)
		}
	}
}

// A SIGHUP while the daemon starts, and others while it runs, end nothing: the next call
// is reported. SIGTERM ends it as ever.
func TestSIGHUPEndsNothing(t *testing.T) {
	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{})
	defer simulator.Close()
	directory := t.TempDir()
	admin := freeAddress(t)

	// The daemon has begun to start when it opens this file, and waits for what is in it.
	path := filepath.Join(directory, "kontur-ari.yaml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
asterisk: {url: %q, username: %s, password: %s}
kontur: {base_url: %q, workspace: my-workspace, api_key: test-api-key}
admin: {listen: %q}
server: {listen: ""}
storage: {directory: %q}
log: {format: json}
directory:
  users: [{user_id: ae9c0d0e-0000-4000-8000-000000000101, extension: "101"}]
  trunks: [{endpoint: PJSIP/trunk, number: "79229929292"}]
`, switchboard.URL, aritest.Username, aritest.Password, simulator.URL, admin, filepath.Join(directory, "store"))

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := new(lockedBuffer)
	daemon := exec.Command(self, "run", "--config", path)
	daemon.Env = append(os.Environ(), asProgram+"=1")
	daemon.Stdout, daemon.Stderr = log, log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	defer func() {
		if err := daemon.Process.Kill(); err == nil {
			<-ended
		}
		http.DefaultClient.CloseIdleConnections()
	}()
	hangUp := func() {
		t.Helper()
		if err := daemon.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}

	reader := awaitReader(t, path)
	hangUp()
	if _, err := reader.WriteString(config); err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	awaitHangups(t, log, 1)
	(&daemonUnderTest{t: t, admin: admin}).awaitReady()

	for sent := 2; sent <= 3; sent++ {
		hangUp()
		awaitHangups(t, log, sent)
	}
	events, err := aritest.ReadEvents("../../ari/testdata/missed.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	switchboard.Replay(t.Context(), events, 1000)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := simulator.WaitOver(ctx, 1); err != nil {
		t.Fatalf("%v:\n%s", err, log)
	}

	if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		ended <- nil
		if err != nil {
			t.Errorf("after SIGTERM: %v:\n%s", err, log)
		}
	case <-time.After(patience):
		t.Fatalf("SIGTERM does not end it:\n%s", log)
	}
}
