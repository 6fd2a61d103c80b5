package recordings

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	patience = Patience{Still: 2 * time.Second, Repair: 30 * time.Second, Appear: time.Minute}
	midnight = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	finished = Sound{Wave: true, Whole: true}
	running  = Sound{Wave: true}
	empty    = Sound{Wave: true, Whole: true, Silent: true}
)

// seen is an observation so many seconds after midnight.
func seen(second float64, size int64, sound Sound) Observation {
	return Observation{At: midnight.Add(time.Duration(second * float64(time.Second))), There: true, Size: size, Sound: sound}
}

func notThere(second float64) Observation {
	o := seen(second, 0, Sound{})
	o.There = false
	return o
}

func TestARecordingIsTakenWhenItsWriterIsDone(t *testing.T) {
	for _, test := range []struct {
		name string
		// gone is the second at which the channel is gone; negative: never.
		gone float64
		see  []Observation
		want []State
	}{
		{"while the channel lives", -1, []Observation{seen(0, 900, finished), seen(999, 900, finished)}, []State{Waiting, Waiting}},
		{"whole with the channel's end", 5, []Observation{seen(1, 900, running), seen(5, 900, finished), seen(7, 900, finished)}, []State{Waiting, Waiting, Ready}},
		{"still before the channel's end", 5, []Observation{seen(1, 900, finished), seen(6.9, 900, finished), seen(7, 900, finished)}, []State{Waiting, Waiting, Ready}},
		{"written on after the channel's end", 5, []Observation{seen(5, 900, running), seen(20, 950, finished), seen(21, 950, finished), seen(22, 950, finished)}, []State{Waiting, Waiting, Waiting, Ready}},
		{"its header comes late", 5, []Observation{seen(5, 900, running), seen(34, 900, running), seen(34.5, 900, finished), seen(36.5, 900, finished)}, []State{Waiting, Waiting, Waiting, Ready}},
		{"its header never comes", 5, []Observation{seen(5, 900, running), seen(34, 900, running), seen(35, 900, running)}, []State{Waiting, Waiting, Torn}},
		{"of a format without a header", 5, []Observation{seen(5, 900, Sound{}), seen(7, 900, Sound{})}, []State{Waiting, Ready}},
		{"nothing in it", 5, []Observation{seen(5, 44, empty), seen(34, 44, empty), seen(35, 44, empty)}, []State{Waiting, Waiting, Silent}},
		{"nothing in it at first", 5, []Observation{seen(5, 44, empty), seen(30, 900, finished), seen(32, 900, finished)}, []State{Waiting, Waiting, Ready}},
		{"an empty file", 5, []Observation{seen(5, 0, Sound{Silent: true}), seen(35, 0, Sound{Silent: true})}, []State{Waiting, Silent}},
		{"missing", 5, []Observation{notThere(1), notThere(64), notThere(65)}, []State{Waiting, Waiting, Missing}},
		{"there in the end", 5, []Observation{notThere(5), notThere(60), seen(61, 900, finished), seen(63, 900, finished)}, []State{Waiting, Waiting, Waiting, Ready}},
		{"replaced by a later command", 5, []Observation{seen(5, 900, finished), seen(6, 300, finished), seen(7.5, 300, finished), seen(8, 300, finished)}, []State{Waiting, Waiting, Waiting, Ready}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s Settling
			for i, o := range test.see {
				if at := midnight.Add(time.Duration(test.gone * float64(time.Second))); test.gone >= 0 && !at.After(o.At) {
					s.ChannelGone(at)
				}
				if got := s.See(o, patience); got != test.want[i] {
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
		var s Settling
		now, changed, gone := midnight, midnight, time.Time{}
		var last Observation
		look := func(o Observation) State {
			if o.There != last.There || o.Size != last.Size || o.Sound != last.Sound {
				changed = o.At
			}
			last = o
			return s.See(o, patience)
		}
		for range rapid.IntRange(1, 40).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "pause")) * time.Millisecond)
			if gone.IsZero() && rapid.IntRange(0, 5).Draw(t, "gone") == 0 {
				gone = now
				s.ChannelGone(now)
			}
			o := Observation{At: now, There: rapid.Bool().Draw(t, "there")}
			if o.There {
				o.Size = rapid.SampledFrom([]int64{0, 44, 900, 950}).Draw(t, "size")
				o.Sound = rapid.SampledFrom([]Sound{finished, running, empty, {}}).Draw(t, "sound")
			}
			state := look(o)
			if state != Waiting && (gone.IsZero() || now.Sub(gone) < patience.Still || now.Sub(changed) < patience.Still) {
				t.Fatalf("%s at %s: the channel is gone since %s, the last change was at %s", state, now, gone, changed)
			}
		}
		s.ChannelGone(now)
		last.At = now.Add(patience.Appear + patience.Repair)
		if state := look(last); state == Waiting {
			t.Fatalf("still waiting after %s without a change", last.At.Sub(now))
		}
	})
}
