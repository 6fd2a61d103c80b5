package commander_test

import (
	"testing"

	"kontur-ari/bridge"
)

// listening makes the fake switch have a channel for the recording once it is asked for one.
func listening(s *fakeSwitch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels["1.1"] = &fakeChannel{Channel: bridge.Channel{ID: "1.1"}}
	s.listen = true
}

// In whatever order the requests to begin and to end a recording arrive, no channel
// listens in the end.
func TestARecordingThatIsEndedStaysEnded(t *testing.T) {
	begin := bridge.Action{Kind: bridge.ActionRecord, Call: "1.1", Channel: "1.1", Recording: "r-1"}
	end := bridge.Action{Kind: bridge.ActionStopRecording, Call: "1.1", Channel: "r-1"}
	for name, acts := range map[string][][]bridge.Action{
		"together": {{begin, end}}, "one after the other": {{begin}, {end}}, "the end first": {{end}, {begin}},
	} {
		for _, slow := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				x := newRig(t)
				listening(x.sw)
				if slow {
					// The first try does not get through, and is made again.
					x.sw.fail("record r-1", fault{err: errNoAnswer, times: 1})
				}
				for _, actions := range acts {
					x.Act(actions)
				}
				x.await("both are done", func() bool { return x.logs.FilterMessage("done").Len() == 2 })
				x.sw.mu.Lock()
				defer x.sw.mu.Unlock()
				if x.sw.channels["r-1"] != nil {
					t.Errorf("a channel listens: %q", x.sw.requests)
				}
			})
		}
	}
}
