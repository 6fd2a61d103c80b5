package pbxtest_test

import (
	"fmt"

	"kontur-ari/bridge/tracker/pbxtest"
)

func ExamplePlay() {
	events, err := pbxtest.Play(`
		0    new A PJSIP/trunk Ring caller=+79997775533 exten=79229929292
		0.5  new B PJSIP/101 Down
		0.5  dial A>B 101
		4    enter B br1
		4    enter A br1
		~5   hold B       # the connection is down, so nothing is sent
		9    gone A 16
		9    snapshot
	`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, event := range events {
		fmt.Println(pbxtest.Seconds(event.Time, pbxtest.Midnight), event.Type, event.Subject())
	}
	// Output:
	// 0.000 ChannelCreated A
	// 0.500 ChannelCreated B
	// 0.500 Dial B
	// 4.000 ChannelEnteredBridge B
	// 4.000 ChannelEnteredBridge A
	// 9.000 ChannelLeftBridge A
	// 9.000 ChannelDestroyed A
	// 9.000 KonturAriSnapshot
}
