package casebook

import (
	"fmt"
	"slices"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// Rung is one line of a ladder.
type Rung struct {
	At   time.Time
	Text string
}

// String is the rung as it is printed, with the time of day in At's zone.
func (r Rung) String() string {
	return r.At.Format(timeLayout) + "  " + r.Text
}

// Ladder sets what Asterisk said about a call and what the CRM answered in the order
// of time. Events may be of other calls too; deliveries must be of this call. It is
// empty where neither knows the call.
func Ladder(passages []Passage, deliveries []store.Delivery, call bridge.CallID) []Rung {
	rungs := eventRungs(passages, call)
	for _, d := range deliveries {
		rungs = append(rungs, deliveryRungs(d)...)
	}
	slices.SortStableFunc(rungs, func(a, b Rung) int { return a.At.Compare(b.At) })
	return rungs
}

// eventRungs shows the events of a call, the channels that a snapshot found gone,
// and the passages of the call that can't be read.
func eventRungs(passages []Passage, call bridge.CallID) (rungs []Rung) {
	story, channels := storyOf(decodable(passages), call)
	present := presenceOf(channels)
	for _, e := range story {
		rungs = append(rungs, Rung{e.received, sourceText(e.event)})
		if gone := present.update(e.event); gone != "" {
			rungs = append(rungs, Rung{e.received, "  gone     " + gone})
		}
	}
	for _, p := range passages {
		if _, err := decodeEvent(p.Raw, p.Received); err != nil && p.Call == call {
			rungs = append(rungs, Rung{p.Received, "Asterisk  unreadable: " + err.Error()})
		}
	}
	return rungs
}

// deliveryRungs shows a request and its answer, or why there was none.
func deliveryRungs(d store.Delivery) []Rung {
	switch {
	case d.Waits:
		return []Rung{{d.Committed, "  waiting  " + waitingText(d)}}
	case d.LeftOut:
		return []Rung{{d.Settled, fmt.Sprintf("  left out %s: the call was over before the CRM could be told", d.Kind)}}
	}
	return []Rung{
		{d.Settled, fmt.Sprintf("  CRM <-   %s %s", d.Kind, d.Request)},
		{d.Settled, "  CRM ->   " + answerText(d)},
	}
}

func answerText(d store.Delivery) string {
	text := fmt.Sprintf("%d %s", d.Status, OneLine(string(d.Answer)))
	if d.Attempts > 1 {
		text += fmt.Sprintf(" (attempt %d)", d.Attempts)
	}
	if d.Reason != "" {
		text += " refused for good: " + d.Reason
	}
	return text
}

// waitingText names a report that is not delivered yet, and why.
func waitingText(d store.Delivery) string {
	if d.Attempts == 0 {
		return fmt.Sprintf("%s, not tried yet", d.Kind)
	}
	return fmt.Sprintf("%s, tried %d times: %s", d.Kind, d.Attempts, d.Reason)
}
