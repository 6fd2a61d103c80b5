package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// memory is what /readyz shows of the events that are not stored.
func (d *daemonUnderTest) memory() (held struct{ Events, Bytes int }) {
	d.t.Helper()
	response, err := http.Get("http://" + d.admin + "/readyz")
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	var shown struct {
		Memory   *struct{ Events, Bytes int }
		Asterisk struct{ Connections int }
	}
	shown.Memory = &held
	if err := json.NewDecoder(response.Body).Decode(&shown); err != nil {
		d.t.Fatal(err)
	}
	if shown.Asterisk.Connections != 1 {
		d.t.Fatalf("%d connections to Asterisk", shown.Asterisk.Connections)
	}
	return held
}

// health is the answer of /healthz.
func (d *daemonUnderTest) health() (status int, text string) {
	d.t.Helper()
	response, err := http.Get("http://" + d.admin + "/healthz")
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// Nothing but storing waits for a disk that is frozen.
func TestAFrozenDiskHoldsUpNothingButStoring(t *testing.T) {
	disk := newFrozenDisk(t)
	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{})
	defer simulator.Close()
	d := startDaemonOn(t, filepath.Join(disk.path, "storage"), switchboard.URL, simulator.URL)
	d.awaitReady()
	// The store and its readers are in use by then.
	switchboard.Replay(t.Context(), missedCalls(20), 0)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	if err := simulator.WaitOver(ctx, 10); err != nil {
		t.Fatal(err)
	}

	disk.freeze()
	events := missedCalls(20 + stalled)[20:]
	switchboard.Replay(t.Context(), events, busy)
	eventually(t, "every event is in memory", func() bool { return d.memory().Events > stalled-1000 })
	if status, text := d.health(); status != http.StatusServiceUnavailable || !strings.Contains(text, "disk takes long") {
		t.Errorf("health is %d %s", status, text)
	}
	for range 5 {
		d.awaitSystemd("WATCHDOG=1")
	}
	disk.thaw()
	if err := simulator.WaitOver(ctx, 10+stalled/2); err != nil {
		t.Fatal(err)
	}
	eventually(t, "health is restored", func() bool { status, _ := d.health(); return status == http.StatusOK })
	if held := d.memory(); held.Events != 0 || held.Bytes != 0 {
		t.Errorf("%+v is held in memory", held)
	}
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if violations := simulator.Violations(); len(violations) > 0 {
		t.Errorf("violations: %v", violations)
	}
}
