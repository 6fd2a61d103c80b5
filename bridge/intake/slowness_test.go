package intake_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kontur-ari/bridge"
)

// stall makes every commit from now on take that long.
func (d *disk) stall(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.takes = by
}

func TestADiskThatStandsStillIsLoggedOnceAndInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 64<<20)
		l.disk.stall(5 * time.Second)
		l.Put(call("1.1")[0])
		time.Sleep(time.Second)
		if stats := l.Stats(); !stats.Stalled || stats.Failing || l.messages() != "storing takes long; events wait in memory" {
			t.Errorf("after 1 s: %+v, logged %q", stats, l.messages())
		}
		for n := range 10 {
			l.Put(call(fmt.Sprint(n))[0])
			time.Sleep(2 * time.Second)
		}
		l.disk.stall(0)
		time.Sleep(6 * time.Second)
		if stats := l.Stats(); stats.Stalled || stats.Events != 11 {
			t.Errorf("when the disk is quick again: %+v", stats)
		}
		time.Sleep(time.Minute)
		want := "storing takes long; events wait in memory\nstoring is quick again"
		if l.messages() != want {
			t.Errorf("logged\n%s\nwant\n%s", l.messages(), want)
		}
		if lasted, _ := l.logs.All()[1].ContextMap()["lasted"].(time.Duration); lasted < 20*time.Second || lasted > 30*time.Second {
			t.Errorf("it lasted %v", lasted)
		}
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAQuickDiskIsNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 64<<20)
		l.disk.stall(800 * time.Millisecond)
		for n := range 100 {
			l.Put(call(fmt.Sprint(n))[0])
			time.Sleep(100 * time.Millisecond)
		}
		if err := l.stop(); err != nil || l.messages() != "" {
			t.Errorf("stopped with %v, logged %q", err, l.messages())
		}
	})
}

func TestAStopSaysThatStoringIsQuickAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 64<<20)
		l.disk.stall(2 * time.Second)
		l.Put(call("1.1")[0])
		if err := l.stop(); err != nil || !strings.HasSuffix(l.messages(), "storing is quick again") {
			t.Errorf("stopped with %v, logged %q", err, l.messages())
		}
	})
}

// Whatever the disk's trouble and how long it lasts, events are stored within seconds
// of its end.
func TestEventsAreStoredWithinSecondsOfTheDisksRecovery(t *testing.T) {
	for _, outage := range []time.Duration{time.Second, time.Minute, 10 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine(t, 64<<20)
			l.disk.fail(context.DeadlineExceeded)
			l.Put(call("1.1")[0])
			time.Sleep(outage)
			l.disk.fail(nil)
			healed := time.Now()
			if err := l.Give(t.Context(), bridge.Event{Type: bridge.EventChannelStateChange, Time: time.Now()}); err != nil {
				t.Fatal(err)
			}
			if late := time.Since(healed); late > 2*time.Second {
				t.Errorf("after an outage of %v events are stored %v after its end", outage, late)
			}
			if err := l.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}
