package ari_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
)

// createdAt is a ChannelCreated of that moment; "" for no time at all.
func createdAt(id, timestamp string) []byte {
	return fmt.Appendf(nil, `{"type":"ChannelCreated","timestamp":%q,"channel":{"id":%q,"name":"PJSIP/101-00000001","state":"Down"}}`, timestamp, id)
}

// stamp is a time as Asterisk writes it.
func stamp(at time.Time) string { return at.Format("2006-01-02T15:04:05.000-0700") }

func TestSnapshotsCarryTheTimeOfAsterisk(t *testing.T) {
	for _, ahead := range []time.Duration{-time.Hour, -90 * time.Second, 0, 40 * time.Second, time.Hour, 24 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := aritest.StartInMemory(t)
				server.SetClock(ahead)
				r := startWith(t, configFor(server), ari.SourceConfig{LastHeard: time.Now().Add(-12 * time.Hour)})
				pass(time.Minute)
				first := r.got()[0]
				// The first moments are known to a second, and never put into the future.
				truth := time.Now().Add(ahead - time.Minute + 300*time.Millisecond)
				if late := truth.Sub(first.Time); late < 0 || late > time.Second {
					t.Errorf("the snapshot is of %v, it was read at %v", first.Time, truth)
				}
				if gap := first.Time.Sub(first.Snapshot.MissedSince); gap < 12*time.Hour || gap > 12*time.Hour+time.Second {
					t.Errorf("%v passed unheard, want 12 h", gap)
				}
				server.Emit(createdAt("1", stamp(time.Now().Add(ahead))))
				synctest.Wait()
				if got, want := r.source.Now(), time.Now().Add(ahead); want.Sub(got).Abs() > time.Millisecond {
					t.Errorf("with an event heard it is %v at Asterisk's, want %v", got, want)
				}
			})
		})
	}
}

func TestAClockThatDiffersIsLoggedOnceForEachDifference(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		for _, ahead := range []time.Duration{0, 700 * time.Millisecond, time.Hour, time.Hour + 2*time.Second, -time.Hour, 0} {
			server.SetClock(ahead)
			pass(time.Minute)
		}
		var logged []string
		for _, entry := range r.log.All() {
			if strings.Contains(entry.Message, "clocks") {
				logged = append(logged, fmt.Sprint(entry.Level))
			}
		}
		if got := strings.Join(logged, " "); got != "warn warn info" {
			t.Errorf("logged %q", got)
		}
	})
}

// Asterisk's clock is set in mid-call, one way or the other.
func TestAStepOfAsterisksClockIsNoticed(t *testing.T) {
	for _, step := range []time.Duration{-time.Hour, time.Hour} {
		for _, busy := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v busy=%v", step, busy), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := aritest.StartInMemory(t)
					r := start(t, configFor(server))
					ahead := time.Duration(0)
					for second := range 60 {
						if second == 30 {
							ahead = step
							server.SetClock(ahead)
						}
						if busy {
							server.Emit(createdAt(fmt.Sprint(second), stamp(time.Now().Add(ahead))))
						}
						pass(time.Second)
						error := time.Now().Add(ahead).Sub(r.source.Now())
						if noticed := second > 30+15 || second < 30; noticed && (error.Abs() > time.Second) {
							t.Fatalf("after %d s it is taken to be %v at Asterisk's, which is off by %v", second, r.source.Now(), error)
						}
					}
				})
			})
		}
	}
}

// What comes late, after a pause of the whole process for example, does not make the
// clocks differ.
func TestEventsThatComeLateDoNotMoveTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Second)
		for second := range 60 {
			server.Emit(createdAt(fmt.Sprint(second), stamp(time.Now().Add(-time.Duration(second%5)*time.Second))))
			pass(time.Second)
			if ahead := r.source.ClockAhead(); ahead != 0 {
				t.Fatalf("after %d s the clocks are taken to differ by %v", second, ahead)
			}
		}
	})
}

// A process that was stopped for a while reads everything at once, and late.
func TestAPauseOfTheProcessIsNotTakenForAClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Minute)
		for n := range 10 {
			server.Emit(createdAt(fmt.Sprint(n), stamp(time.Now().Add(-time.Minute))))
		}
		pass(time.Minute)
		if logs := r.log.FilterMessageSnippet("clocks").Len(); logs != 0 || r.source.ClockAhead() != 0 {
			t.Errorf("%d log lines about clocks; Asterisk's is taken to be ahead by %v", logs, r.source.ClockAhead())
		}
	})
}

// The journal keeps what the event was given, so that a replay gives the same.
func TestAnEventWithoutATimeGetsThatOfAnAsteriskWithAnotherClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		server.SetClock(-time.Hour)
		r := start(t, configFor(server))
		pass(time.Second)
		server.Emit(createdAt("1", stamp(time.Now().Add(-time.Hour))), createdAt("2", "never"))
		synctest.Wait()
		got := r.got()
		event := got[len(got)-1]
		if off := time.Now().Add(-time.Hour).Sub(event.Time); off.Abs() > time.Millisecond || string(event.Channel.ID) != "2" {
			t.Errorf("the time of %s is off by %v", event.Channel.ID, off)
		}
		again, err := ari.Decode(event.Raw)
		if err != nil || !again.Time.Equal(event.Time) {
			t.Errorf("read again it is of %v, %v", again.Time, err)
		}
		if first := r.snapshots()[0]; first.Type != bridge.EventSnapshot || first.Time.After(event.Time) {
			t.Errorf("the snapshot of %v is later than the event of %v", first.Time, event.Time)
		}
	})
}
