package tracker_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
	"kontur-ari/internal/longtest"
)

// numbered is a stream of events with the channels and bridges of one call renamed
// for the nth call, so that a script can be played again and again.
func numbered(events []bridge.Event, n int) []bridge.Event {
	rename := func(ch *bridge.Channel) *bridge.Channel {
		if ch == nil {
			return nil
		}
		renamed := *ch
		renamed.ID = bridge.ChannelID(fmt.Sprintf("%d.%s", n, ch.ID))
		return &renamed
	}
	copies := make([]bridge.Event, len(events))
	for i, event := range events {
		event.Time = event.Time.Add(time.Duration(n) * time.Second)
		event.Channel, event.Caller, event.Peer = rename(event.Channel), rename(event.Caller), rename(event.Peer)
		if event.Bridge != nil {
			event.Bridge = &bridge.Bridge{ID: fmt.Sprintf("%d.%s", n, event.Bridge.ID), Holding: event.Bridge.Holding}
		}
		copies[i] = event
	}
	return copies
}

const answeredToTheEnd = answered + `
	10 hold B
	15 unhold B
	30 leave A br1
	30 leave B br1
	30 close br1
	30 gone B 16
	30 gone A 16
`

func TestThousandsOfCallsWithLossesLeaveNothing(t *testing.T) {
	l := newListener(pbxtest.Office(), allCalls)
	chance := rand.New(rand.NewPCG(1, 2))
	scripts := [][]bridge.Event{
		play(t, answeredToTheEnd),
		play(t, dialling+"5 enter A br1\n5 enter B br1\n9 gone A 16\n9 gone B 16\n9 close br1"),
		play(t, followMe+"9 gone C 0\n9 gone L2 0\n9 gone L1 0\n9 gone B 0\n9 gone A 16"),
	}
	calls := longtest.Count(1000, 50_000)
	for n := range calls {
		for _, event := range numbered(scripts[n%len(scripts)], n) {
			if chance.IntN(1000) < 5 {
				continue
			}
			if err := l.hear(event); err != nil {
				t.Fatalf("call %d: %v", n, err)
			}
		}
	}
	if err := l.hangUp(); err != nil {
		t.Fatal(err)
	}
	if started := l.ledger.Calls(); started < calls*9/10 {
		t.Fatalf("only %d of %d calls were reported", started, calls)
	}
}

// BenchmarkApply is one answered inbound call with a hold, 18 events, alone and
// beside a thousand others.
func BenchmarkApply(b *testing.B) {
	for _, others := range []int{0, 1000} {
		b.Run(fmt.Sprintf("beside %d calls", others), func(b *testing.B) {
			tr := tracker.New(pbxtest.Office(), allCalls)
			talking := play(b, answered)
			for n := range others {
				for _, event := range numbered(talking, -n-1) {
					tr.Apply(event)
				}
			}
			events := numbered(play(b, answeredToTheEnd), 0)
			calls := make([][]bridge.Event, b.N)
			for n := range calls {
				calls[n] = numbered(events, n)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, call := range calls {
				for _, event := range call {
					tr.Apply(event)
				}
			}
		})
	}
}

// BenchmarkSnapshot is a snapshot of a thousand calls that brings no news, as
// after a short loss of the connection.
func BenchmarkSnapshot(b *testing.B) {
	tr := tracker.New(pbxtest.Office(), allCalls)
	var script strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&script, "0 new 1.%[1]d PJSIP/trunk Ring caller=79997775533 exten=79229929292\n0 new 1.%[2]d PJSIP/101 Down caller=101\n"+
			"0 dial 1.%[1]d>1.%[2]d 101\n0 enter 1.%[1]d 1.%[1]d\n0 enter 1.%[2]d 1.%[1]d\n", 2*n, 2*n+1)
	}
	events := play(b, script.String()+"0 snapshot")
	snapshot := events[len(events)-1]
	tr.Apply(snapshot)
	b.ReportAllocs()
	for b.Loop() {
		tr.Apply(snapshot)
	}
}
