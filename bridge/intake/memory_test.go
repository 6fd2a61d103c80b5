package intake_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/bridge/intake"
)

// reader is a source of events that records which calls it receives about lost events.
type reader struct{ calls []string }

func (r *reader) Missed(since time.Time) {
	r.calls = append(r.calls, "missed since "+since.UTC().Format(time.TimeOnly))
}
func (r *reader) Resync() { r.calls = append(r.calls, "resync") }

// line is an Intake that runs in a bubble, with a disk and a source.
type line struct {
	*intake.Intake
	disk   *disk
	reader reader
	logs   *observer.ObservedLogs
	stop   func() error
}

func newLine(t *testing.T, memory int64) *line {
	core, logs := observer.New(zap.InfoLevel)
	l := &line{disk: newDisk(t), logs: logs}
	l.Intake = intake.New(newTracker(t), l.disk, func([]bridge.Pending) {}, zap.New(core), intake.WithMemory(memory), intake.WithSource(&l.reader))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	l.stop = func() error { cancel(); return <-done }
	return l
}

// messages are the log lines so far.
func (l *line) messages() string {
	var lines []string
	for _, entry := range l.logs.All() {
		lines = append(lines, entry.Message)
	}
	return strings.Join(lines, "\n")
}

func snapshot(channels ...bridge.Channel) bridge.Event {
	return bridge.Event{Type: bridge.EventSnapshot, Time: time.Now(), Snapshot: &bridge.Snapshot{Channels: channels}, Raw: []byte("{}")}
}

func TestMemoryIsBoundedWhileNothingCanBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 1<<20)
		l.disk.fail(syscall.ENOSPC)
		var put, room int
		var full time.Time
		for ; put < 5000; put++ {
			if l.Stats().Dropping && full.IsZero() {
				room, full = put-1, time.Now()
			}
			l.Put(call(fmt.Sprint(put))[0])
			time.Sleep(time.Millisecond)
		}
		stats := l.Stats()
		if stats.Memory > 1<<20 || stats.Memory < 1<<20-4096 {
			t.Errorf("%d bytes are held", stats.Memory)
		}
		want := map[bridge.EventType]int64{bridge.EventChannelCreated: int64(put - room)}
		if !maps.Equal(stats.Dropped, want) || room < 100 {
			t.Errorf("dropped %v, want %v", stats.Dropped, want)
		}
		missed := "missed since " + full.Add(-time.Millisecond).UTC().Format(time.TimeOnly)
		if got := strings.Join(l.reader.calls, ", "); got != missed {
			t.Errorf("the source received %q, want %q", got, missed)
		}

		l.disk.fail(nil)
		time.Sleep(5 * time.Second) // of the bubble's clock
		synctest.Wait()
		if stats = l.Stats(); stats.Events != int64(room) || stats.Memory != 0 || stats.Failing || !stats.Dropping {
			t.Errorf("5 s after the disk healed: %+v", stats)
		}
		if got := strings.Join(l.reader.calls, ", "); got != missed+", resync" {
			t.Errorf("the source received %q", got)
		}
		l.Put(call("between")[0])
		l.Put(snapshot())
		l.Put(call("behind")[0])
		synctest.Wait()
		want[bridge.EventChannelCreated]++
		if stats = l.Stats(); stats.Events != int64(room)+2 || stats.Dropping || !maps.Equal(stats.Dropped, want) {
			t.Errorf("after the snapshot: %+v", stats)
		}
		if err := l.stop(); err != nil {
			t.Error(err)
		}
		l.wantLogged(t, room)
	})
}

// wantLogged: four lines, the last of which names what was dropped: the calls from the
// first one on.
func (l *line) wantLogged(t *testing.T, first int) {
	t.Helper()
	want := strings.Join([]string{
		"events can't be stored; they wait in memory",
		"memory is full of events that can't be stored; those that come now are dropped",
		"events are stored again",
		"events are taken again, after a new snapshot of the switch",
	}, "\n")
	if got := l.messages(); got != want {
		t.Fatalf("logged\n%s\nwant\n%s", got, want)
	}
	fields := l.logs.All()[3].ContextMap()
	channels, _ := fields["channels"].([]any)
	if len(channels) != 32 || channels[0] != fmt.Sprint(first) {
		t.Errorf("named are %v, want 32 from %d on", channels, first)
	}
	for _, key := range []string{"dropped", "unnamed", "lasted"} {
		if fields[key] == nil {
			t.Errorf("no field %q in %v", key, fields)
		}
	}
}

func TestASnapshotThatFindsNoRoomIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 64<<10)
		l.disk.fail(syscall.ENOSPC)
		for n := 0; !l.Stats().Dropping; n++ {
			l.Put(call(fmt.Sprint(n))[0])
		}
		large := make([]bridge.Channel, 1000)
		l.Put(snapshot(large...)) // a connect brings one while the disk is full
		if !l.Stats().Dropping {
			t.Error("a snapshot that is larger than all memory was taken beside the rest")
		}
		l.disk.fail(nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := l.reader.calls[len(l.reader.calls)-2:]; !strings.HasPrefix(got[0], "missed since") || got[1] != "resync" {
			t.Errorf("the source received %q", l.reader.calls)
		}
		l.Put(snapshot(large...))
		synctest.Wait()
		if stats := l.Stats(); stats.Dropping || stats.Memory != 0 {
			t.Errorf("a snapshot that finds nothing beside it was not taken: %+v", stats)
		}
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestOrdersAreRefusedAndTheirEndsTakenWhileMemoryIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 64<<10)
		if err := l.Give(t.Context(), bridge.NewClickToCallEvent(ordered, 0, time.Now())); err != nil {
			t.Fatal(err)
		}
		l.disk.fail(syscall.ENOSPC)
		for n := 0; !l.Stats().Dropping; n++ {
			l.Put(call(fmt.Sprint(n))[0])
		}
		second := ordered
		second.CommunicationID = "c2"
		before := time.Now()
		if err := l.Give(t.Context(), bridge.NewClickToCallEvent(second, 0, time.Now())); !errors.Is(err, bridge.ErrNoRoom) || !time.Now().Equal(before) {
			t.Errorf("an order that finds no room, after %v: %v", time.Since(before), err)
		}
		dropped := l.Stats().Dropped[bridge.EventClickToCall] + l.Stats().Dropped[bridge.EventClickResult]
		refusal := &bridge.Refusal{Status: bridge.RefusedSwitch}
		l.Put(bridge.NewClickRefusedEvent(ordered, refusal, true, time.Now()))
		l.disk.fail(nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if _, found, _, err := l.disk.ClickToCallFor(t.Context(), "c1"); found == nil || err != nil || dropped != 0 {
			t.Errorf("the order is refused on disk: %v, %v; %d events of orders are dropped", found, err, dropped)
		}
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAStopWhileEventsAreDroppedNamesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 64<<10)
		l.disk.fail(syscall.ENOSPC)
		for n := 0; !l.Stats().Dropping; n++ {
			l.Put(call(fmt.Sprint(n))[0])
		}
		if err := l.stop(); err == nil {
			t.Error("events were not stored, and nothing is said")
		}
		last := l.logs.All()[l.logs.Len()-1]
		if last.Message != "stopped while events are dropped" || fmt.Sprint(last.ContextMap()["dropped"]) != "map[ChannelCreated:1]" {
			t.Errorf("logged at last %q with %v", last.Message, last.ContextMap())
		}
	})
}
