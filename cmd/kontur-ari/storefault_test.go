package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
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
	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/crm/crmtest"
)

// process is the real program, in a process of its own.
type process struct {
	*exec.Cmd
	admin string
	out   *lockedBuffer
	done  chan error
}

// startProcess builds and runs the program on a storage directory, against addresses that do
// not answer.
func startProcess(t *testing.T, storage string) *process {
	t.Helper()
	return startProcessFor(t, storage, "http://"+freeAddress(t)+"/ari", "http://"+freeAddress(t))
}

func startProcessFor(t *testing.T, storage, ariURL, crmURL string) *process {
	t.Helper()
	directory := t.TempDir()
	binary, config := filepath.Join(directory, "kontur-ari"), filepath.Join(directory, "kontur-ari.yaml")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v: %s", err, out)
	}
	p := &process{admin: freeAddress(t), out: new(lockedBuffer), done: make(chan error, 1)}
	text := fmt.Sprintf("asterisk: {url: %q, username: %s, password: %s}\nkontur: {base_url: %q, workspace: my-workspace, api_key: test-api-key}\nadmin: {listen: %q}\nserver: {listen: %q}\nstorage: {directory: %q}\n"+
		"directory: {users: [{user_id: ae9c0d0e-0000-4000-8000-000000000101, extension: \"101\"}], trunks: [{endpoint: PJSIP/trunk, number: \"79229929292\"}]}\n",
		ariURL, aritest.Username, aritest.Password, crmURL, p.admin, freeAddress(t), storage)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Cmd = exec.Command(binary, "run", "--config", config)
	p.Stdout, p.Stderr = p.out, p.out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.Wait() }()
	t.Cleanup(func() {
		// It fails where the process has ended, as it should have.
		_ = p.Process.Kill()
	})
	return p
}

// exitCode waits for the end.
func (p *process) exitCode(t *testing.T) int {
	t.Helper()
	select {
	case err := <-p.done:
		if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
			t.Fatal(err)
		}
		return p.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("the process does not end:\n%s", p.out)
		return -1
	}
}

func (p *process) awaitHealthy(t *testing.T) {
	t.Helper()
	p.awaitOK(t, "/healthz")
}

// awaitOK waits until an endpoint of the admin server answers 200.
func (p *process) awaitOK(t *testing.T, endpoint string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; <-time.After(10 * time.Millisecond) {
		response, err := http.Get("http://" + p.admin + endpoint)
		if err == nil {
			if err := response.Body.Close(); err != nil {
				t.Error(err)
			}
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s of the process is not 200: %v\n%s", endpoint, err, p.out)
		}
	}
}

func TestASecondProcessOnTheSameStoreSaysWhyItEnds(t *testing.T) {
	storage := t.TempDir()
	first := startProcess(t, storage)
	first.awaitHealthy(t)
	second := startProcess(t, storage)
	if code := second.exitCode(t); code != exitFailure {
		t.Errorf("the second process ended with code %d, want %d", code, exitFailure)
	}
	if out := second.out.String(); !strings.Contains(out, "another kontur-ari uses this storage directory") || !strings.Contains(out, storage) {
		t.Errorf("the second process says:\n%s", out)
	}
	first.awaitHealthy(t)
	if err := first.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := first.exitCode(t); code != exitOK {
		t.Errorf("the first process ended with code %d:\n%s", code, first.out)
	}
	http.DefaultClient.CloseIdleConnections()
}

// onStore works on a store's file past the store.
func onStore(t *testing.T, storage, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(storage, store.FileName)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), text)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestAStoreOfALaterVersionIsLeftAloneAndNamed(t *testing.T) {
	storage := t.TempDir()
	onStore(t, storage, "PRAGMA journal_mode = WAL; CREATE TABLE later (a); PRAGMA user_version = 99")
	before, err := os.ReadFile(filepath.Join(storage, store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, storage)
	if code := p.exitCode(t); code != exitFailure {
		t.Errorf("exit code %d, want %d", code, exitFailure)
	}
	for _, words := range []string{"written by a newer version of kontur-ari", "schema version 99", storage} {
		if !strings.Contains(p.out.String(), words) {
			t.Errorf("it does not say %q:\n%s", words, p.out)
		}
	}
	if after, err := os.ReadFile(filepath.Join(storage, store.FileName)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the store was touched: error %v", err)
	}
}

func TestReportsThatAnEarlierVersionLeftAreDelivered(t *testing.T) {
	for version := 1; version <= 2; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			text, err := os.ReadFile(fmt.Sprintf("../../bridge/store/testdata/version%d.sql", version))
			if err != nil {
				t.Fatal(err)
			}
			storage := t.TempDir()
			onStore(t, storage, string(text))
			switchboard := aritest.Start(t)
			simulator := crmtest.NewServer(crmtest.Options{})
			defer simulator.Close()
			d := startDaemonOn(t, storage, switchboard.URL, simulator.URL)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := simulator.WaitOver(ctx, 1); err != nil {
				t.Fatal(err)
			}
			if code := d.exit(); code != exitOK {
				t.Errorf("exit code %d", code)
			}
			want := []string{"started(inbound)", "L1 appeared", "L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER"}
			if got := simulator.Calls()[0].Sequence(); strings.Join(got, ", ") != strings.Join(want, ", ") {
				t.Errorf("the CRM received %v, want %v", got, want)
			}
		})
	}
}

func TestADamagedStoreIsLoggedAsAnErrorAndTheWorkGoesOn(t *testing.T) {
	storage := t.TempDir()
	if err := os.WriteFile(filepath.Join(storage, store.FileName), bytes.Repeat([]byte("no store"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{})
	defer simulator.Close()
	d := startDaemonOn(t, storage, switchboard.URL, simulator.URL)
	d.awaitReady()
	response, err := http.Get("http://" + d.admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		Damaged []struct{ MovedTo, Reason string }
	}
	err = json.NewDecoder(response.Body).Decode(&shown)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if len(shown.Damaged) != 1 || !strings.HasPrefix(shown.Damaged[0].MovedTo, storage) || shown.Damaged[0].Reason == "" {
		t.Errorf("/readyz shows %+v", shown)
	}
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	loud := false
	for line := range strings.Lines(d.log.String()) {
		loud = loud || strings.Contains(line, `"level":"error"`) && strings.Contains(line, "THE STORE WAS DAMAGED") && strings.Contains(line, shown.Damaged[0].MovedTo)
	}
	if !loud {
		t.Errorf("no line of level error names the damage:\n%s", d.log)
	}
}

// The start does not find damage in the middle of a file.
func TestADaemonThatFindsItsStoreDamagedEndsAndTheNextStartSavesWhatCanBeRead(t *testing.T) {
	const reports = 600
	storage := t.TempDir()
	db, err := store.Open(t.Context(), storage)
	if err != nil {
		t.Fatal(err)
	}
	var batch bridge.Batch
	for n := range reports {
		call := bridge.CallID(fmt.Sprint("1795401475.", n))
		batch.Reports = append(batch.Reports, bridge.Report{
			Kind: bridge.ReportStarted, Call: call, Time: time.Now(), Direction: bridge.Inbound, ClientPhone: "79997775533", VatsPhone: "79229929292",
		})
	}
	_, err = db.Commit(t.Context(), batch)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(storage, store.FileName)
	page := pageInTheMidst(t, path, "outbox")
	overwrite(t, path, func(int64) int64 { return (page - 1) * 4096 })

	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{})
	defer simulator.Close()
	d := startDaemonOn(t, storage, switchboard.URL, simulator.URL)
	select {
	case code := <-d.code:
		if code != exitFailure {
			t.Errorf("exit code %d, want %d, which has systemd start it again", code, exitFailure)
		}
	case <-time.After(patience):
		t.Fatal("the daemon does not end")
	}
	if lines := strings.Count(d.log.String(), "THE STORE IS DAMAGED"); lines != 1 {
		t.Errorf("%d lines say that the store is damaged, want 1", lines)
	}

	d = startDaemonOn(t, storage, switchboard.URL, simulator.URL)
	d.awaitReady()
	if !strings.Contains(d.log.String(), "THE STORE WAS DAMAGED") {
		t.Error("the next start does not say what it has saved")
	}
	eventually(t, "what could be read is delivered", func() bool { return len(simulator.Calls()) > reports-100 && d.delivered() })
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, call := range simulator.Calls() {
		if got := call.Sequence(); len(got) != 1 {
			t.Errorf("of call %s the CRM got %v", call.ID, got)
		}
	}
}

// delivered holds when no report waits.
func (d *daemonUnderTest) delivered() bool {
	db, err := sql.Open("sqlite", filepath.Join(d.storage, store.FileName)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		d.t.Fatal(err)
	}
	waiting := -1
	err = db.QueryRowContext(d.t.Context(), "SELECT COUNT(*) FROM outbox").Scan(&waiting)
	if err := errors.Join(err, db.Close()); err != nil {
		d.t.Fatal(err)
	}
	return waiting == 0
}

// pageInTheMidst returns the number of a page in the middle of a large table.
func pageInTheMidst(t *testing.T, path, table string) (page int64) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	const leaves = "FROM dbstat WHERE name = ?1 AND pagetype = 'leaf'"
	err = db.QueryRowContext(t.Context(), "SELECT pageno "+leaves+" ORDER BY path LIMIT 1 OFFSET (SELECT COUNT(*) / 2 "+leaves+")", table).Scan(&page)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return page
}

func TestAStoreThatWasMovedAsideIsReplayedAsFarAsItGoes(t *testing.T) {
	storage := t.TempDir()
	db, err := store.Open(t.Context(), storage)
	if err != nil {
		t.Fatal(err)
	}
	events, err := aritest.ReadEvents("../../ari/testdata/missed.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var batch bridge.Batch
	for range 100 {
		for _, event := range events {
			batch.Events = append(batch.Events, bridge.Entry{Received: time.Now(), Event: bridge.Event{Type: "Dial", Raw: event}})
		}
	}
	if _, err := db.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	aside := filepath.Join(storage, store.FileName+".damaged-20260322T103835Z")
	if err := os.Rename(filepath.Join(storage, store.FileName), aside); err != nil {
		t.Fatal(err)
	}
	overwrite(t, aside, func(size int64) int64 { return size / 2 })
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"replay", "--json", "--config", goodConfig(t, ""), aside}, &stdout, &stderr)
	if code != exitFailure || !strings.Contains(stdout.String(), "register-call") || !strings.Contains(stderr.String(), ", events ") {
		t.Errorf("exit code %d; the reports:\n%s\nstandard error:\n%s", code, stdout.String(), stderr.String())
	}

	overwrite(t, aside, func(int64) int64 { return 0 })
	stderr.Reset()
	code = run(t.Context(), []string{"replay", "--config", goodConfig(t, ""), aside}, &stdout, &stderr)
	if code != exitFailure || !strings.Contains(stderr.String(), "so damaged that nothing can be read") {
		t.Errorf("of a store without a beginning: exit code %d, standard error:\n%s", code, stderr.String())
	}
}

// overwrite destroys a page of a file.
func overwrite(t *testing.T, path string, where func(size int64) int64) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err == nil {
		_, err = file.WriteAt(bytes.Repeat([]byte{0xa5}, 4096), where(info.Size())/4096*4096)
	}
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}
