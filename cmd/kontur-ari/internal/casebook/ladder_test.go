package casebook

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

func TestALadderSetsEventsAndAnswersInTheOrderOfTime(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2026, 11, 23, 12, 30, second, 0, time.UTC) }
	passages := []Passage{
		{Raw: []byte(`{"type":"ChannelCreated","timestamp":"2026-11-23T12:30:00.000+0000","channel":{"id":"1.1","name":"PJSIP/trunk-1","state":"Ring"}}`), Received: at(1), Call: "1.1"},
		{Raw: []byte(`{"type":"ChannelCreated","timestamp":"2026-11-23T12:30:00.000+0000","channel":{"id":"2.1","name":"PJSIP/trunk-2","state":"Ring"}}`), Received: at(2), Call: "2.1"},
		{Raw: []byte(`{"type":`), Received: at(6), Call: "1.1"},
		{Raw: []byte(`{"type":`), Received: at(7), Call: "2.1"},
	}
	deliveries := []store.Delivery{
		{Kind: bridge.ReportStarted, Settled: at(4), Status: 200, Attempts: 3, Request: []byte(`{"a":1}`), Answer: []byte("{\n  \"id\": 1}")},
		{Kind: bridge.ReportEvent, Settled: at(5), LeftOut: true},
		{Kind: bridge.ReportFinished, Settled: at(3), Status: 409, Attempts: 1, Reason: "HTTP 409"},
		{Kind: bridge.ReportRegister, Committed: at(8), Waits: true, Attempts: 2, Reason: "no answer in time"},
		{Kind: bridge.ReportRecording, Committed: at(9), Waits: true},
	}
	want := []string{
		"12:30:01.000  Asterisk  ChannelCreated PJSIP/trunk-1 Ring ->",
		"12:30:03.000    CRM <-   call-finished ",
		"12:30:03.000    CRM ->   409  refused for good: HTTP 409",
		`12:30:04.000    CRM <-   call-started {"a":1}`,
		`12:30:04.000    CRM ->   200 { "id": 1} (attempt 3)`,
		"12:30:05.000    left out call-event: the call was over before the CRM could be told",
		"12:30:06.000  Asterisk  unreadable: ",
		"12:30:08.000    waiting  register-call, tried 2 times: no answer in time",
		"12:30:09.000    waiting  call-recording, not tried yet",
	}
	var got []string
	for _, rung := range Ladder(passages, deliveries, "1.1") {
		got = append(got, rung.String())
	}
	if len(got) > 6 {
		got[6] = got[6][:min(len(got[6]), len(want[6]))] // how JSON is broken is its reader's to say
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ladder (-want +got):\n%s", diff)
	}
	if rungs := Ladder(passages[1:2], nil, "1.1"); len(rungs) != 0 {
		t.Errorf("a call that is unknown has a ladder: %v", rungs)
	}
}
