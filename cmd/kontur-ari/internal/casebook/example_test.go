package casebook_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
	"kontur-ari/cmd/kontur-ari/internal/casebook"
)

// A capture holds one event of Asterisk a line: a client calls 101, who doesn't answer.
const capture = `
{"type":"ChannelCreated","timestamp":"2026-03-22T12:00:00.000+0000","channel":{"id":"1.1","name":"PJSIP/trunk-1","state":"Ring","caller":{"number":"79997775533"},"dialplan":{"exten":"79229929292"}}}
{"type":"ChannelCreated","timestamp":"2026-03-22T12:00:00.500+0000","channel":{"id":"1.2","name":"PJSIP/101-2","state":"Down"}}
{"type":"Dial","timestamp":"2026-03-22T12:00:00.500+0000","dialstatus":"","dialstring":"101","caller":{"id":"1.1","name":"PJSIP/trunk-1","state":"Ring"},"peer":{"id":"1.2","name":"PJSIP/101-2","state":"Down"}}
{"type":"ChannelDestroyed","timestamp":"2026-03-22T12:00:08.000+0000","cause":0,"channel":{"id":"1.2","name":"PJSIP/101-2","state":"Ringing"}}
{"type":"ChannelDestroyed","timestamp":"2026-03-22T12:00:08.000+0000","cause":16,"channel":{"id":"1.1","name":"PJSIP/trunk-1","state":"Ring"}}
`

// Replay shows what a new Tracker makes of a capture.
func ExampleReplay() {
	ctx := context.Background()
	source, err := casebook.OpenSource(ctx, "-", strings.NewReader(capture))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = casebook.Replay(ctx, source, casebook.ReplayOptions{
		File:       "a capture",
		NewTracker: func() (*tracker.Tracker, error) { return tracker.New(pbxtest.Office(), tracker.Policy{}), nil },
		Out:        os.Stdout,
		Err:        os.Stderr,
	})
	if closed := source.Close(); err != nil || closed != nil {
		fmt.Println(err, closed)
	}
	// Output:
	// 12:00:00.000  Asterisk  ChannelCreated PJSIP/trunk-1 Ring 79997775533 -> 79229929292
	// 12:00:00.000    report   1.1 call-started inbound, client 79997775533, number 79229929292
	// 12:00:00.500  Asterisk  ChannelCreated PJSIP/101-2 Down ->
	// 12:00:00.500  Asterisk  Dial PJSIP/trunk-1 -> PJSIP/101-2 101
	// 12:00:00.500    report   1.1 call-event appeared, leg 1.2, client -> user u101
	// 12:00:08.000  Asterisk  ChannelDestroyed PJSIP/101-2 Ringing cause 0
	// 12:00:08.000    report   1.1 call-event disconnected, leg 1.2, client -> user u101
	// 12:00:08.000  Asterisk  ChannelDestroyed PJSIP/trunk-1 Ring cause 16
	// 12:00:08.000    report   1.1 call-event finished, leg 1.2, client -> user u101
	// 12:00:08.000    report   1.1 call-finished
	// 12:00:08.000    report   1.1 register-call, leg 1.2, client -> user u101, not answered, over 12:00:08.000
	// 5 events, 6 reports
}
