package recordings

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	patience = Patience{Still: 2 * time.Second, Repair: 30 * time.Second, Appear: time.Minute}
	midnight = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	finished = soundHeader{Wave: true, Whole: true}
	running  = soundHeader{Wave: true}
	empty    = soundHeader{Wave: true, Whole: true, Silent: true}
)

// seen is an observation so many seconds after midnight.
func seen(second float64, size int64, sound soundHeader) observation {
	return observation{At: midnight.Add(time.Duration(second * float64(time.Second))), There: true, Size: size, Sound: sound}
}

func notThere(second float64) observation {
	o := seen(second, 0, soundHeader{})
	o.There = false
	return o
}

func TestARecordingIsTakenWhenItsWriterIsDone(t *testing.T) {
	for _, test := range []struct {
		name string
		// gone is the second at which the channel is gone; negative: never.
		gone float64
		see  []observation
		want []fileState
	}{
		{"while the channel lives", -1, []observation{seen(0, 900, finished), seen(999, 900, finished)}, []fileState{stateWaiting, stateWaiting}},
		{"whole with the channel's end", 5, []observation{seen(1, 900, running), seen(5, 900, finished), seen(7, 900, finished)}, []fileState{stateWaiting, stateWaiting, stateReady}},
		{"still before the channel's end", 5, []observation{seen(1, 900, finished), seen(6.9, 900, finished), seen(7, 900, finished)}, []fileState{stateWaiting, stateWaiting, stateReady}},
		{"written on after the channel's end", 5, []observation{seen(5, 900, running), seen(20, 950, finished), seen(21, 950, finished), seen(22, 950, finished)}, []fileState{stateWaiting, stateWaiting, stateWaiting, stateReady}},
		{"its header comes late", 5, []observation{seen(5, 900, running), seen(34, 900, running), seen(34.5, 900, finished), seen(36.5, 900, finished)}, []fileState{stateWaiting, stateWaiting, stateWaiting, stateReady}},
		{"its header never comes", 5, []observation{seen(5, 900, running), seen(34, 900, running), seen(35, 900, running)}, []fileState{stateWaiting, stateWaiting, stateTorn}},
		{"of a format without a header", 5, []observation{seen(5, 900, soundHeader{}), seen(7, 900, soundHeader{})}, []fileState{stateWaiting, stateReady}},
		{"nothing in it", 5, []observation{seen(5, 44, empty), seen(34, 44, empty), seen(35, 44, empty)}, []fileState{stateWaiting, stateWaiting, stateSilent}},
		{"nothing in it at first", 5, []observation{seen(5, 44, empty), seen(30, 900, finished), seen(32, 900, finished)}, []fileState{stateWaiting, stateWaiting, stateReady}},
		{"an empty file", 5, []observation{seen(5, 0, soundHeader{Silent: true}), seen(35, 0, soundHeader{Silent: true})}, []fileState{stateWaiting, stateSilent}},
		{"missing", 5, []observation{notThere(1), notThere(64), notThere(65)}, []fileState{stateWaiting, stateWaiting, stateMissing}},
		{"there in the end", 5, []observation{notThere(5), notThere(60), seen(61, 900, finished), seen(63, 900, finished)}, []fileState{stateWaiting, stateWaiting, stateWaiting, stateReady}},
		{"replaced by a later command", 5, []observation{seen(5, 900, finished), seen(6, 300, finished), seen(7.5, 300, finished), seen(8, 300, finished)}, []fileState{stateWaiting, stateWaiting, stateWaiting, stateReady}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s settling
			for i, o := range test.see {
				if at := midnight.Add(time.Duration(test.gone * float64(time.Second))); test.gone >= 0 && !at.After(o.At) {
					s.channelGone(at)
				}
				if got := s.see(o, patience); got != test.want[i] {
					t.Errorf("observation %d: %s, want %s", i+1, got, test.want[i])
				}
			}
		})
	}
}

// Whatever is seen: nothing is taken while its channel lives, nor sooner after a change
// than it may; and what stays as it is comes to an end.
func TestEveryRecordingSettlesAndNoneTooSoon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s settling
		now, changed, gone := midnight, midnight, time.Time{}
		var last observation
		look := func(o observation) fileState {
			if o.There != last.There || o.Size != last.Size || o.Sound != last.Sound {
				changed = o.At
			}
			last = o
			return s.see(o, patience)
		}
		for range rapid.IntRange(1, 40).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "pause")) * time.Millisecond)
			if gone.IsZero() && rapid.IntRange(0, 5).Draw(t, "gone") == 0 {
				gone = now
				s.channelGone(now)
			}
			o := observation{At: now, There: rapid.Bool().Draw(t, "there")}
			if o.There {
				o.Size = rapid.SampledFrom([]int64{0, 44, 900, 950}).Draw(t, "size")
				o.Sound = rapid.SampledFrom([]soundHeader{finished, running, empty, {}}).Draw(t, "sound")
			}
			state := look(o)
			if state != stateWaiting && (gone.IsZero() || now.Sub(gone) < patience.Still || now.Sub(changed) < patience.Still) {
				t.Fatalf("%s at %s: the channel is gone since %s, the last change was at %s", state, now, gone, changed)
			}
		}
		s.channelGone(now)
		last.At = now.Add(patience.Appear + patience.Repair)
		if state := look(last); state == stateWaiting {
			t.Fatalf("still waiting after %s without a change", last.At.Sub(now))
		}
	})
}
