package tracker_test

import (
	"fmt"

	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

// A client calls 101, who answers and puts him on hold once.
func ExampleTracker_Apply() {
	events, err := pbxtest.Play(`
		0    new A PJSIP/trunk Ring caller=+79997775533 exten=79229929292
		0.5  new B PJSIP/101 Down
		0.5  dial A>B 101
		4    enter B br1
		4    enter A br1
		6    hold B
		7    unhold B
		9    gone A 16
		9    gone B 16
	`)
	if err != nil {
		fmt.Println(err)
		return
	}
	decides := tracker.New(pbxtest.Office(), tracker.Policy{})
	for _, event := range events {
		outcome := decides.Apply(event)
		for _, report := range outcome.Reports {
			fmt.Println(pbxtest.Line(report, pbxtest.Midnight))
		}
	}
	// Output:
	// 0.000 A started inbound 79997775533 79229929292
	// 0.500 A B appeared client>user:u101
	// 4.000 A B connected client>user:u101
	// 6.000 A B paused client>user:u101
	// 7.000 A B connected client>user:u101
	// 9.000 A B disconnected client>user:u101
	// 9.000 A B finished client>user:u101
	// 9.000 A CALL-FINISHED
	// 9.000 A REGISTER B client>user:u101 4.000..9.000
}
