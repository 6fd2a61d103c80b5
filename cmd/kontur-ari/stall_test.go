package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/ari/aritest"
	"kontur-ari/crm/crmtest"
)

const (
	// busy is how many events a second flow while the disk stands still, and stalled how
	// many in all: five seconds of them.
	busy    = 500
	stalled = 5 * busy
)

// missedCalls are the events of callers who hang up in the IVR, two for each.
func missedCalls(n int) [][]byte {
	var events [][]byte
	for i := range n / 2 {
		for _, event := range []string{"ChannelCreated", "ChannelDestroyed"} {
			events = append(events, fmt.Appendf(nil,
				`{"type":%q,"timestamp":%q,"cause":16,"channel":{"id":"1795401475.%d","name":"PJSIP/trunk-%08x","state":"Ring","caller":{"number":"79997775533"},"connected":{"number":""},"dialplan":{"context":"from-trunk","exten":"79229929292","priority":1,"app_name":"","app_data":""}}}`,
				event, time.Now().UTC().Format("2006-01-02T15:04:05.000-0700"), i, i))
		}
	}
	return events
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * patience); !holds(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// frozenDisk is a file system of its own that can be frozen, as a snapshot of a virtual
// machine, or a controller that hangs, freezes it.
type frozenDisk struct {
	path string
	// freeze freezes it; thaw ends that. It ends by itself after a minute.
	freeze, thaw func()
}

func newFrozenDisk(t *testing.T) *frozenDisk {
	t.Helper()
	if os.Getenv("KONTUR_ARI_E2E") == "off" {
		t.Skip("KONTUR_ARI_E2E=off: no disk is frozen")
	}
	directory := t.TempDir()
	image, mount := filepath.Join(directory, "image"), filepath.Join(directory, "disk")
	sudo := func(words ...string) {
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v, %s: this test needs root and a loop device; KONTUR_ARI_E2E=off leaves it out", strings.Join(words, " "), err, out)
		}
	}
	sudo("truncate", "-s", "64M", image)
	sudo("mkfs.ext4", "-q", "-F", image)
	sudo("mkdir", mount)
	sudo("mount", "-o", "loop", image, mount)
	t.Cleanup(func() { sudo("umount", mount) })

	// Another process thaws it, since this one may hang with its disk.
	var helper *exec.Cmd
	var input io.Closer
	thaw := func() {
		if helper != nil {
			if err := input.Close(); err != nil {
				t.Error(err)
			}
			if err := helper.Wait(); err != nil {
				t.Errorf("thawing: %v", err)
			}
			helper = nil
		}
	}
	t.Cleanup(thaw)
	return &frozenDisk{path: mount, thaw: thaw, freeze: func() {
		helper = exec.Command("bash", "-c", `fsfreeze -f "$0" && echo frozen; read -t 60; fsfreeze -u "$0"`, mount)
		helper.Stderr = os.Stderr
		stdin, err := helper.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		input = stdin
		stdout, err := helper.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := helper.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "frozen\n" {
			t.Fatalf("freezing: %q, %v", line, err)
		}
	}}
}

// healthy holds when /healthz says so within a second: a process that stands still says
// nothing.
func (p *process) healthy(t *testing.T) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.admin+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	return response.StatusCode == http.StatusOK
}

// A process may stand still while its disk is frozen. After the thaw all is right: what came
// in the meantime is stored and delivered, once, and nothing has to be done by hand.
func TestAfterADiskWasFrozenNothingIsLostOrReportedTwice(t *testing.T) {
	const before, during, after = 20, 200, 20
	disk := newFrozenDisk(t)
	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{})
	defer simulator.Close()
	p := startProcessFor(t, filepath.Join(disk.path, "storage"), switchboard.URL, simulator.URL)
	defer http.DefaultClient.CloseIdleConnections()
	p.awaitOK(t, "/readyz")
	events := missedCalls(before + during + after)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	over := func(events int) {
		t.Helper()
		if err := simulator.WaitOver(ctx, events/2); err != nil {
			t.Fatalf("%v\n%s", err, p.out)
		}
	}
	switchboard.Replay(ctx, events[:before], 0)
	over(before)

	disk.freeze()
	if sent := switchboard.Replay(ctx, events[before:before+during], busy); sent != during {
		t.Errorf("%d events were sent while the disk was frozen", sent)
	}
	eventually(t, "the freeze is felt", func() bool { return !p.healthy(t) })
	if reported := len(simulator.Calls()); reported >= (before+during)/2 {
		t.Errorf("%d calls were reported although nothing could be stored", reported)
	}
	disk.thaw()
	over(before + during)
	eventually(t, "health is restored", func() bool { return p.healthy(t) })
	switchboard.Replay(ctx, events[before+during:], 0)
	over(before + during + after)

	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.exitCode(t); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, p.out)
	}
	calls := simulator.Calls()
	if len(calls) != len(events)/2 {
		t.Errorf("the CRM got %d calls, want %d", len(calls), len(events)/2)
	}
	want := []string{"started(inbound)", "CALL-FINISHED", "REGISTER"}
	for _, call := range calls {
		if diff := cmp.Diff(want, call.Sequence()); diff != "" {
			t.Errorf("call %s (-want +got):\n%s", call.ID, diff)
		}
	}
	if violations := simulator.Violations(); len(violations) > 0 {
		t.Errorf("violations: %v", violations)
	}
}
