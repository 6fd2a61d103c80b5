package commander_test

import (
	"testing"

	"kontur-ari/bridge"
)

func TestHangup(t *testing.T) {
	for _, c := range []struct {
		name     string
		command  bridge.HangupCommand
		want     bridge.RefusalStatus
		requests []string
	}{
		{"by the leg", bridge.HangupCommand{Leg: "kontur-ari~c1.1", UserID: "u101"}, "", []string{"hang up c1.1"}},
		{"by the communication", bridge.HangupCommand{CommunicationID: "C1", UserID: "U101"}, "", []string{"hang up c1.1"}},
		{"an unknown leg", bridge.HangupCommand{Leg: "1.1", UserID: "u101"}, bridge.RefusedLeg, nil},
		{"an unknown leg of a known communication", bridge.HangupCommand{Leg: "1.1", CommunicationID: "c1", UserID: "u101"}, bridge.RefusedLeg, nil},
		{"an unknown communication", bridge.HangupCommand{CommunicationID: "c2", UserID: "u101"}, bridge.RefusedLeg, nil},
		{"another user", bridge.HangupCommand{Leg: "kontur-ari~c1.1", UserID: "u102"}, bridge.RefusedParty, nil},
		{"no user", bridge.HangupCommand{Leg: "kontur-ari~c1.1"}, bridge.RefusedParty, nil},
		{"nothing", bridge.HangupCommand{UserID: "u101"}, bridge.RefusedInvalid, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newRig(t)
			x.must(x.Call(t.Context(), toClient("c1", "u101")))
			x.flush()
			if err := x.Hangup(t.Context(), c.command); refusedWith(err) != c.want || (err == nil) != (c.want == "") {
				t.Errorf("%v, want %q", err, c.want)
			}
			x.wantRequests(append([]string{"create c1.1", "ring c1.1"}, c.requests...)...)
			if c.want != "" {
				return
			}
			x.wantReports("c1", "call-started", "appeared", "disconnected", "finished", "call-failed")
			if got := refusedWith(x.Hangup(t.Context(), c.command)); got != bridge.RefusedLeg {
				t.Errorf("a second time: %q, want %q", got, bridge.RefusedLeg)
			}
		})
	}
}

// A switch that is away is no success; a channel that has gone by itself is one.
func TestHangupOfWhatCantBeReached(t *testing.T) {
	for err, want := range map[error]bridge.RefusalStatus{errNoAnswer: bridge.RefusedSwitch, bridge.ErrDeclined: bridge.RefusedSwitch, bridge.ErrNoChannel: ""} {
		x := newRig(t)
		x.must(x.Call(t.Context(), toClient("c1", "u101")))
		x.flush()
		x.sw.fail("hang up", fault{err: err, times: 1})
		if got := refusedWith(x.Hangup(t.Context(), bridge.HangupCommand{Leg: "kontur-ari~c1.1", UserID: "u101"})); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
