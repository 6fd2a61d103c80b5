package main

import (
	"context"
	"fmt"
)

// burst is how many events are sent at once.
const burst = 10_000

// measureBurst sends events without a pause and counts the requests that the CRM lacks.
func (b *bench) measureBurst(ctx context.Context) error {
	daemon, err := b.startDaemon(ctx, "burst")
	if err != nil {
		return err
	}
	defer daemon.close()
	calls := burst/eventsPerCall + 1
	events := make([][]byte, 0, calls*eventsPerCall)
	e := daemon.expect(calls)
	for n := range calls {
		for i := range eventsPerCall {
			events = append(events, b.script.appendEvent(nil, n, i))
		}
	}
	began := now()
	for _, event := range events {
		if err := daemon.asterisk.send(ctx, event); err != nil {
			return err
		}
	}
	written := now()
	failure := daemon.awaitAll(e)
	lost := int64(requestsPerCall*calls) - e.requests.Load()
	b.add(figure{fmt.Sprintf("burst of %d events at once", len(events)), fmt.Sprintf("%d of %d requests lost", lost, requestsPerCall*calls),
		fmt.Sprintf("sent in %.2f s, received in %.2f s", seconds(began, written), seconds(began, moment(e.last.Load()))), "", "0 lost", lost == 0})
	return failure
}
