package tracker_test

import (
	"fmt"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

// A trunk's channel in a snapshot may be a call that came in, a call that goes out, or a client
// after a transfer. Only the first is inbound.
func TestASnapshotInventsNoInboundCall(t *testing.T) {
	playScenarios(t, []scenario{
		{"a trunk channel that is about to be dialled", allCalls, `
			~0  new A PJSIP/101 Ring caller=101 exten=79997775533
			~0  new B PJSIP/trunk Down
			1   snapshot
			1.1 dial A>B 79997775533@trunk
			5   gone B
			5   gone A`, `
			1.100 A started outbound 79997775533 79229929292
			1.100 A A appeared user:u101>client
			5.000 A A disconnected user:u101>client
			5.000 A A finished user:u101>client
			5.000 A CALL-FINISHED
			5.000 A REGISTER A user:u101>client never..5.000`},
		{"an answered caller from outside who has dialled no number", allCalls, `
			~0 new A PJSIP/trunk Ring caller=79997775533
			~0 state A Up
			1  snapshot
			5  gone A`, ``},
		{"a client called from here who was sent on to 102", allCalls, `
			~0 new X PJSIP/101 Ring caller=101 exten=79997775533
			~0 new A PJSIP/trunk Down
			~0 dial X>A 79997775533@trunk
			~1 state A Up
			~2 gone X 16
			~2 linked A X
			~2 new B PJSIP/102 Down
			3  snapshot
			3.1 dial A>B 102
			5  gone B
			5  gone A`, ``},
	})
}

func TestALeaveOfAnotherRoomChangesNothing(t *testing.T) {
	playScenarios(t, []scenario{
		{"reported late", allCalls, `
			0 new A PJSIP/trunk Ring caller=79997775533 exten=79229929292
			0 new B PJSIP/101 Down
			0 dial A>B 101
			1 enter A br1
			!1 leave A br0
			1 enter B br1
			9 gone B
			9 gone A`, `
			0.000 A started inbound 79997775533 79229929292
			0.000 A B appeared client>user:u101
			1.000 A B connected client>user:u101
			9.000 A B disconnected client>user:u101
			9.000 A B finished client>user:u101
			9.000 A CALL-FINISHED
			9.000 A REGISTER B client>user:u101 1.000..9.000`},
	})
}

// After a long gap the end of a call is unknown. The call is reported as ended when it was
// last known to go on.
func TestAnEndThatWasMissedForLongIsNotPutAtTheReturn(t *testing.T) {
	for _, test := range []struct {
		name        string
		missedSince time.Duration
		end         string
	}{
		{"unknown", 0, "43200.000"},
		{"missed for a moment", 43199 * time.Second, "43200.000"},
		{"missed for half a day", 61 * time.Second, "61.000"},
		{"heard last before the answer", 500 * time.Millisecond, "4.003"},
	} {
		t.Run(test.name, func(t *testing.T) {
			events := play(t, answered+`
				~30   gone B
				~30   gone A
				43200 snapshot`)
			last := &events[len(events)-1]
			if test.missedSince != 0 {
				last.Snapshot.MissedSince = pbxtest.Midnight.Add(test.missedSince)
			}
			tr := tracker.New(pbxtest.Office(), allCalls)
			var register bridge.Report
			for _, event := range events {
				for _, report := range tr.Apply(event).Reports {
					if report.Kind == bridge.ReportRegister {
						register = report
					}
				}
			}
			if len(register.Items) != 1 {
				t.Fatalf("registered: %+v", register)
			}
			got := fmt.Sprintf("%.3f", register.Items[0].FinishedAt.Sub(pbxtest.Midnight).Seconds())
			if got != test.end {
				t.Errorf("ended at %s, want %s", got, test.end)
			}
		})
	}
}
