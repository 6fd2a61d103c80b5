package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kontur-ari/ari/aritest"
	"kontur-ari/crm/crmtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	time.Local = time.UTC // people are shown local times
	goleak.VerifyTestMain(m)
}

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// daemonUnderTest is the daemon in this process, with a systemd that listens.
type daemonUnderTest struct {
	t       *testing.T
	admin   string
	storage string
	stop    context.CancelFunc
	code    chan int
	log     *lockedBuffer
	systemd chan string
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// startDaemon runs the daemon against addresses that need not answer.
func startDaemon(t *testing.T, ariURL, crmURL string) *daemonUnderTest {
	t.Helper()
	return startDaemonOn(t, t.TempDir(), ariURL, crmURL)
}

// startDaemonOn runs the daemon on a storage directory that may have a past.
func startDaemonOn(t *testing.T, storage, ariURL, crmURL string) *daemonUnderTest {
	t.Helper()
	d := &daemonUnderTest{t: t, admin: freeAddress(t), storage: storage, code: make(chan int, 1), log: new(lockedBuffer), systemd: make(chan string, 100)}
	listenAsSystemd(t, d.systemd)
	config := fmt.Sprintf(`
asterisk: {url: %q, username: %s, password: %s}
kontur: {base_url: %q, workspace: my-workspace, api_key: test-api-key}
admin: {listen: %q}
server: {listen: %q}
storage: {directory: %q}
log: {format: json, level: debug}
directory:
  users: [{user_id: ae9c0d0e-0000-4000-8000-000000000101, extension: "101"}]
  trunks: [{endpoint: PJSIP/trunk, number: "79229929292"}]
`, ariURL, aritest.Username, aritest.Password, crmURL, d.admin, freeAddress(t), d.storage)
	path := filepath.Join(t.TempDir(), "kontur-ari.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.stop = cancel
	go func() { d.code <- run(ctx, []string{"run", "--config", path}, io.Discard, d.log) }()
	t.Cleanup(func() {
		cancel()
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", d.log)
		}
	})
	return d
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}()
	return listener.Addr().String()
}

// listenAsSystemd receives what sd_notify(3) sends.
func listenAsSystemd(t *testing.T, states chan<- string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "200000")
	t.Setenv("WATCHDOG_PID", fmt.Sprint(os.Getpid()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 4096)
		for {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			select {
			case states <- string(buffer[:n]):
			default: // a test that does not look at all of them
			}
		}
	}()
	t.Cleanup(func() {
		if err := socket.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
}

// awaitSystemd waits until systemd received a state that begins so.
func (d *daemonUnderTest) awaitSystemd(state string) {
	d.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case received := <-d.systemd:
			if strings.HasPrefix(received, state) {
				return
			}
		case <-deadline:
			d.t.Fatalf("systemd did not receive %s", state)
		}
	}
}

// exit stops the daemon as a signal does and returns its exit code.
func (d *daemonUnderTest) exit() int {
	d.t.Helper()
	d.stop()
	select {
	case code := <-d.code:
		return code
	case <-time.After(patience):
		d.t.Fatal("the daemon does not end")
		return -1
	}
}

type readiness struct {
	Code          int
	Status        string
	Missing       []string
	NotUnderstood map[string]int64
}

func (d *daemonUnderTest) ready() readiness {
	d.t.Helper()
	response, err := http.Get("http://" + d.admin + "/readyz")
	if err != nil {
		return readiness{}
	}
	defer func() {
		if err := response.Body.Close(); err != nil {
			d.t.Error(err)
		}
	}()
	got := readiness{Code: response.StatusCode}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		d.t.Error(err)
	}
	return got
}

func (d *daemonUnderTest) awaitReady() {
	d.t.Helper()
	for deadline := time.Now().Add(patience); d.ready().Code != http.StatusOK; {
		if time.Now().After(deadline) {
			d.t.Fatalf("not ready: %+v", d.ready())
		}
		<-time.After(10 * time.Millisecond)
	}
}

func TestACapturedCallReachesTheCRMAndTheLadder(t *testing.T) {
	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{})
	defer simulator.Close()
	d := startDaemon(t, switchboard.URL, simulator.URL)
	d.awaitSystemd("READY=1")
	d.awaitReady()
	d.awaitSystemd("WATCHDOG=1")

	events, err := aritest.ReadEvents("../../ari/testdata/missed.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	switchboard.Replay(t.Context(), events, 1000)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := simulator.WaitOver(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d after an orderly stop", code)
	}
	d.awaitSystemd("STOPPING=1")

	call := simulator.Calls()[0]
	want := []string{"started(inbound)", "L1 appeared", "L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER"}
	if diff := cmp.Diff(want, call.Sequence()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if violations := simulator.Violations(); len(violations) > 0 {
		t.Errorf("violations: %v", violations)
	}
	if simulator.LeakedIn([]byte(d.log.String())) {
		t.Error("a key is in the log")
	}
	d.checkLadder(call.ID)
}

// checkLadder reads the call back from the store, as the ladder command does.
func (d *daemonUnderTest) checkLadder(call string) {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), "ladder.yaml")
	config := fmt.Sprintf("asterisk: {username: a, password: b}\nkontur: {workspace: w, api_key: k}\nstorage: {directory: %q}\n", d.storage)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		d.t.Fatal(err)
	}
	for _, args := range [][]string{{"ladder", "--config", path}, {"ladder", "--config", path, call}} {
		var stdout, stderr bytes.Buffer
		if code := run(d.t.Context(), args, &stdout, &stderr); code != exitOK {
			d.t.Fatalf("%v: exit code %d: %s", args, code, stderr.String())
		}
		wanted := []string{call, "6 delivered"}
		if len(args) > 3 {
			wanted = []string{"ChannelCreated", "call-started", "register-call", "200"}
		}
		for _, words := range wanted {
			if !strings.Contains(stdout.String(), words) {
				d.t.Errorf("%v does not say %q:\n%s", args, words, stdout.String())
			}
		}
	}
}

func TestAsteriskAndTheCRMMayBeAwayAtTheStart(t *testing.T) {
	d := startDaemon(t, "http://"+freeAddress(t)+"/ari", "http://"+freeAddress(t))
	d.awaitSystemd("READY=1")
	for deadline := time.Now().Add(patience); ; <-time.After(10 * time.Millisecond) {
		got := d.ready()
		if got.Code == http.StatusServiceUnavailable && slices.ContainsFunc(got.Missing, func(s string) bool { return strings.Contains(s, "refused") }) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("readiness without Asterisk: %+v", got)
		}
	}
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, words := range []string{"no events from Asterisk", "authorisation failing"} {
		if n := strings.Count(d.log.String(), `"msg":"`+words); n == 0 {
			t.Errorf("the log does not say %q", words)
		}
	}
}

func TestAStopWithTheCRMAwayIsBoundedAndLosesNothing(t *testing.T) {
	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{})
	defer simulator.Close()
	simulator.SetDown(true)
	d := startDaemon(t, switchboard.URL, simulator.URL)
	d.awaitReady()
	events, err := aritest.ReadEvents("../../ari/testdata/missed.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	switchboard.Replay(t.Context(), events, 1000)
	for deadline := time.Now().Add(patience); !strings.Contains(d.log.String(), "reports wait"); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the log does not say that reports wait")
		}
	}
	began := time.Now()
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if lasted := time.Since(began); lasted > 10*time.Second {
		t.Errorf("the stop took %v", lasted)
	}
	if calls := simulator.Calls(); len(calls) != 0 {
		t.Errorf("a CRM that is down received %d calls", len(calls))
	}

	simulator.SetDown(false)
	again := startDaemonOn(t, d.storage, switchboard.URL, simulator.URL)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := simulator.WaitOver(ctx, 1); err != nil {
		t.Error(err)
	}
	again.exit()
	if violations := simulator.Violations(); len(violations) > 0 {
		t.Errorf("violations: %v", violations)
	}
}

// A client who never called in reaches a phone. The reports leave that phone out.
func TestReadinessCountsCallsThatAreNotUnderstoodByReason(t *testing.T) {
	switchboard := aritest.Start(t)
	simulator := crmtest.NewServer(crmtest.Options{})
	defer simulator.Close()
	d := startDaemon(t, switchboard.URL, simulator.URL)
	d.awaitReady()
	const trunk, phone = `{"id":"1.1","name":"PJSIP/trunk-1","state":"Down"}`, `{"id":"1.2","name":"PJSIP/101-1","state":"Down"}`
	const dial = `{"type":"Dial","timestamp":"2026-11-23T12:30:02.000+0000","dialstatus":"","caller":` + trunk + `,"peer":` + phone + `}`
	switchboard.Emit(
		[]byte(`{"type":"ChannelCreated","timestamp":"2026-11-23T12:30:00.000+0000","channel":`+trunk+`}`),
		[]byte(`{"type":"ChannelCreated","timestamp":"2026-11-23T12:30:01.000+0000","channel":`+phone+`}`),
		[]byte(dial))
	for deadline := time.Now().Add(patience); len(d.ready().NotUnderstood) == 0; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a call that is not understood is counted nowhere")
		}
	}
	for reason, calls := range d.ready().NotUnderstood {
		if calls != 1 || strings.Count(d.log.String(), reason) != 1 {
			t.Errorf("%q is counted %d times", reason, calls)
		}
	}
	if code := d.exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}
