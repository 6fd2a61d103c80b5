package delivery

import (
	"kontur-ari/bridge"
	"kontur-ari/internal/breaker"
	"kontur-ari/internal/retry"
)

const (
	// openAfter failures in a row, of more than one call, show that the CRM is down.
	// One call that the CRM can't digest does not.
	openAfter = 5
	// reopenAfter is the same while the CRM comes back.
	reopenAfter = 2
)

// newBreaker returns a breaker that probes a CRM which is down by one request at a
// time, and lets one request more through with every success once it is back.
func newBreaker(connections int, pauses retry.Pauses) *breaker.Breaker {
	return breaker.New(breaker.Settings{
		MaxInFlight: connections, OpenAfter: openAfter, ReopenAfter: reopenAfter,
		CloseAfter: max(1, connections-1), Pause: pauses.After,
	})
}

// failureOf returns what a failed send of a call means for the breaker.
func failureOf(call bridge.CallID, result bridge.Result) breaker.Failure {
	return breaker.Failure{Key: string(call), Everybody: result.Everybody, RetryAfter: result.RetryAfter}
}

// gateText is how [Stats.Gate] names the breaker's states to operators.
var gateText = map[breaker.State]string{breaker.Closed: "open", breaker.Open: "shut", breaker.HalfOpen: "opening"}

// Reachable returns whether the CRM can be reached, as far as is known: false from the
// failures that open the breaker until a request succeeds again. It may be called at any
// time.
func (d *Dispatcher) Reachable() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.breaker.State() != breaker.Open
}
