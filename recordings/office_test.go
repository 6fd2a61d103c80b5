package recordings_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/bridge/delivery"
	"kontur-ari/bridge/store"
	"kontur-ari/crm"
	"kontur-ari/crm/crmtest"
	"kontur-ari/internal/secret"
	"kontur-ari/recordings"
)

// TestMain lets many tests run at the same time: they wait for files, not for a processor.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// office is everything from the store to a CRM, without a switch.
type office struct {
	testing.TB
	crm                *crmtest.Server
	db                 *store.Store
	log                *observer.ObservedLogs
	monitor, voicemail string
	storage            string
	config             recordings.Config
	stored             bridge.StoredRecordings
	// jobs may put something between the courier and the store.
	jobs      func(bridge.RecordingJobs) bridge.RecordingJobs
	transport crm.Config

	client     *crm.Client
	courier    *recordings.Courier
	dispatcher *delivery.Dispatcher
	end        context.CancelFunc
	running    sync.WaitGroup
	calls      int
}

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// newOffice opens an office that waits for files as briefly as can be. change may alter
// that before it begins.
func newOffice(t testing.TB, change ...func(*office)) *office {
	t.Helper()
	o := &office{TB: t, monitor: t.TempDir(), voicemail: t.TempDir(), storage: t.TempDir()}
	o.crm = crmtest.NewServer(crmtest.Options{Alone: true})
	t.Cleanup(o.crm.Close)
	template, err := recordings.ParseTemplate("{year}/{month}/{day}/*-{uniqueid}.*")
	o.must(err)
	o.config = recordings.Config{
		Monitor: recordings.Directory{Path: o.monitor, InSwitch: "/spool/monitor"}, Voicemail: recordings.Directory{Path: o.voicemail},
		Templates: []recordings.Template{template},
		Patience:  recordings.Patience{Still: 50 * time.Millisecond, Repair: 200 * time.Millisecond, Appear: time.Second, Named: time.Second},
		Scratch:   filepath.Join(o.storage, "conversions"),
		Uploads:   2, FirstPause: 20 * time.Millisecond, LongestPause: 100 * time.Millisecond, Keep: -1,
	}
	o.transport = crm.Config{BaseURL: o.crm.URL, Workspace: "my-workspace", APIKey: secret.New("test-api-key"), RequestTimeout: 5 * time.Second}
	for _, c := range change {
		c(o)
	}
	o.open()
	t.Cleanup(o.close)
	return o
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// open starts everything on the store as it is.
func (o *office) open() {
	o.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	o.log = logs
	var err error
	o.db, err = store.Open(o.Context(), o.storage)
	o.must(err)
	o.client, err = crm.New(o.transport, zap.NewNop())
	o.must(err)
	o.dispatcher = delivery.New(o.db, o.client, delivery.Config{
		Connections: 4, FirstPause: 20 * time.Millisecond, LongestPause: 100 * time.Millisecond, CollapseAfter: time.Hour,
	}, zap.NewNop())
	jobs := bridge.RecordingJobs(o.db)
	if o.jobs != nil {
		jobs = o.jobs(jobs)
	}
	o.courier = recordings.New(o.config, jobs, o.client, recordings.Outside{
		Announced: o.dispatcher.WakeCall, Reachable: o.dispatcher.Reachable, Stored: o.stored,
	}, zap.New(core))
	o.courier.Hurry()
	ctx, end := context.WithCancel(context.Background())
	o.end = end
	o.running.Go(func() { o.courier.Run(ctx) })
	o.running.Go(func() { _ = o.dispatcher.Run(ctx) })
}

// close ends everything.
func (o *office) close() {
	o.Helper()
	o.end()
	o.running.Wait()
	o.client.Close()
	if err := o.db.Close(); err != nil {
		o.Error(err)
	}
}

// reopen is a new process on the same store.
func (o *office) reopen() {
	o.Helper()
	o.close()
	o.open()
}

// call is one that is over; its client's channel has that id.
type call struct {
	id      bridge.CallID
	channel bridge.ChannelID
	name    string
	began   time.Time
	ended   time.Time
}

// newCall is a call of a minute that ends now.
func (o *office) newCall() call {
	o.calls++
	id := fmt.Sprintf("1795401475.%d", o.calls)
	now := time.Now()
	return call{id: bridge.CallID(id), channel: bridge.ChannelID(id), name: fmt.Sprintf("PJSIP/trunk-%08x", o.calls), began: now.Add(-time.Minute), ended: now}
}

// recorded returns the call's channel with the files that its variables have shown.
func (c call) recorded(files ...string) bridge.Recorded {
	return bridge.Recorded{
		Call: c.id, Leg: bridge.LegID(c.id) + "5", Since: c.began.Add(5 * time.Second), Channel: c.channel, Name: c.name,
		From: c.began, To: c.ended, Files: files,
	}
}

// over has a call over, with those channels.
func (o *office) over(c call, recorded ...bridge.Recorded) {
	o.Helper()
	register := bridge.Report{
		Kind: bridge.ReportRegister, Call: c.id, Time: c.ended, CreatedAt: c.began, Direction: bridge.Inbound, ClientPhone: "79997775533",
		Items: []bridge.Item{{
			ID: bridge.LegID(c.id) + "5", From: bridge.Party{Type: bridge.PartyClient}, To: bridge.Party{Type: bridge.PartyUser, UserID: "u101"},
			StartedAt: c.began.Add(5 * time.Second), FinishedAt: c.ended,
		}},
	}
	pending, err := o.db.Commit(o.Context(), bridge.Batch{Reports: []bridge.Report{register}, Ended: []bridge.CallID{c.id}, Recorded: recorded})
	o.must(err)
	o.dispatcher.Wake(pending)
	o.courier.Look()
}

// wave returns a WAVE file with so many bytes of sound. Its header declares said bytes.
func wave(sound, said int) []byte {
	var file bytes.Buffer
	file.WriteString("RIFF")
	_ = binary.Write(&file, binary.LittleEndian, uint32(36+said))
	file.WriteString("WAVEfmt ")
	for _, field := range []any{uint32(16), uint16(1), uint16(1), uint32(8000), uint32(16000), uint16(2), uint16(16)} {
		_ = binary.Write(&file, binary.LittleEndian, field)
	}
	file.WriteString("data")
	_ = binary.Write(&file, binary.LittleEndian, uint32(said))
	for i := range sound {
		file.WriteByte(byte(i))
	}
	return file.Bytes()
}

// put writes a file below a directory.
func (o *office) put(directory, name string, content []byte) string {
	o.Helper()
	path := filepath.Join(directory, name)
	o.must(os.MkdirAll(filepath.Dir(path), 0o700))
	o.must(os.WriteFile(path, content, 0o600))
	return path
}

// awaitAnnounced waits until the CRM has as many recordings, and returns the files: that each
// was announced once, and not too late, the CRM sees to.
func (o *office) awaitAnnounced(count int) []crmtest.File {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), patience)
	defer cancel()
	err := o.crm.WaitFor(ctx, func(c *crmtest.CRM) bool { return len(announced(c)) >= count })
	if err != nil {
		o.Fatalf("%v\n%s", err, o.story())
	}
	o.noViolations()
	return announced(o.crm.CRM)
}

func announced(c *crmtest.CRM) []crmtest.File {
	return slices.DeleteFunc(c.Files(), func(file crmtest.File) bool { return !file.Announced })
}

func (o *office) noViolations() {
	o.Helper()
	for _, violation := range o.crm.Violations() {
		o.Errorf("violation: %s", violation)
	}
}

// awaitStates waits until there are as many jobs in each state and no others.
func (o *office) awaitStates(want map[bridge.RecordingState]int) {
	o.Helper()
	deadline := time.Now().Add(patience)
	for {
		counts, _, err := o.db.Count(o.Context())
		o.must(err)
		if fmt.Sprint(counts) == fmt.Sprint(want) {
			return
		}
		if time.Now().After(deadline) {
			o.Fatalf("jobs are %v, want %v\n%s", counts, want, o.story())
		}
		select {
		case <-o.Context().Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// story returns what helps to understand a failure.
func (o *office) story() string {
	text := o.crm.Summary()
	for _, entry := range o.log.All() {
		text += fmt.Sprintf("\n%s %v", entry.Message, entry.ContextMap())
	}
	return text
}

// warned are the messages of the log that are not for debugging.
func (o *office) warned() (messages []string) {
	for _, entry := range o.log.All() {
		if entry.Level >= zapcore.WarnLevel {
			messages = append(messages, entry.Message)
		}
	}
	return messages
}
