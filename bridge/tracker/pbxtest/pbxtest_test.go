package pbxtest_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker/pbxtest"
)

func TestAScriptThatCannotBeReadSaysWhichLine(t *testing.T) {
	for _, script := range []string{"new A PJSIP/101 Down", "1", "1 sing A", "one new A PJSIP/101 Down"} {
		if events, err := pbxtest.Play(script); err == nil {
			t.Errorf("%q gives %d events and no error", script, len(events))
		}
	}
}

func TestWhatHappensWhileTheConnectionIsDownIsOnlyInTheSnapshot(t *testing.T) {
	events, err := pbxtest.Play(pbxtest.Unheard("0 new A PJSIP/101 Up\n1 enter A br1") + "2 snapshot")
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 1 || len(events[0].Snapshot.Channels) != 1 || len(events[0].Snapshot.Bridges) != 1 {
		t.Errorf("events: %+v", events)
	}
}

func TestTrafficEndsWithAnEmptyExchange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		traffic := pbxtest.AnyTraffic(t, true, 2)
		if len(traffic.Want()) > traffic.Calls() {
			t.Fatalf("%d calls are to be reported of %d", len(traffic.Want()), traffic.Calls())
		}
		var kinds []bridge.EventType
		for _, event := range traffic.Events() {
			kinds = append(kinds, event.Type)
		}
		if len(kinds) == 0 {
			t.Fatal("traffic without an event")
		}
		// Every moment has its snapshot, and after the last call nothing is left.
		last := traffic.Snapshot(len(kinds)).Snapshot
		if len(last.Channels) != 0 {
			t.Fatalf("channels are left after the last call: %v%s", last.Channels, traffic.Evidence(traffic.Events(), nil))
		}
	})
}

func TestALedgerNamesTheRuleThatIsBroken(t *testing.T) {
	started := bridge.Report{Kind: bridge.ReportStarted, Call: "A", Direction: bridge.Inbound, Time: pbxtest.Midnight}
	party := bridge.Party{Type: bridge.PartyClient}
	leg := func(event bridge.LegEvent) bridge.Report {
		return bridge.Report{Kind: bridge.ReportEvent, Call: "A", Leg: "B", Event: event, From: &party, To: &party, Time: pbxtest.Midnight}
	}
	early := leg(bridge.LegAppeared)
	early.Time = early.Time.Add(-time.Second)
	for want, reports := range map[string][]bridge.Report{
		"call-event before call-started":        {leg(bridge.LegAppeared)},
		"call-started a second time":            {started, started},
		"leg B is connected before it appeared": {started, leg(bridge.LegConnected)},
		"leg B appears twice":                   {started, leg(bridge.LegAppeared), leg(bridge.LegAppeared)},
		"leg B is paused after appeared":        {started, leg(bridge.LegAppeared), leg(bridge.LegPaused)},
		"call-event at 2026-03-01 23:59:59 +0000 UTC, earlier than the call's last report at 2026-03-02 00:00:00 +0000 UTC": {started, early},
	} {
		ledger := pbxtest.NewLedger()
		var err error
		for _, report := range reports {
			err = ledger.Enter(report)
		}
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	ledger := pbxtest.NewLedger()
	if err := ledger.Enter(started); err != nil {
		t.Fatal(err)
	}
	if ledger.Settled() == nil {
		t.Error("a call that is never registered is settled")
	}
}

func TestBytesGiveTheSameEventsEachTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SliceOfN(rapid.Byte(), 0, 20*pbxtest.EventWidth).Draw(t, "code")
		first, again := pbxtest.AnyEvents(code), pbxtest.AnyEvents(code)
		if len(first) != len(code)/pbxtest.EventWidth || !reflect.DeepEqual(first, again) {
			t.Fatalf("%d and %d events of %d bytes", len(first), len(again), len(code))
		}
	})
}
