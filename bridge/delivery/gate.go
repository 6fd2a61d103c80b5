package delivery

import (
	"time"

	"kontur-ari/bridge"
)

const (
	// shutAfter failures in a row, of more than one call, shut the gate; one call that
	// the CRM can't digest does not. While it opens, shutAgainAfter do.
	shutAfter      = 5
	shutAgainAfter = 2
)

// gate decides how many requests may be under way: a circuit breaker, so that a CRM
// that is down is asked by one request at a time, and one that comes back is not
// run over. It is pure: it is told the time, and used under the dispatcher's lock.
type gate struct {
	// most is how many requests may be under way when all is well.
	most   int
	pauses pauses

	state gateState
	// limit is how many may be under way while it opens.
	limit    int
	inFlight int
	// failures in a row, since anything got through; several: of more than one call.
	failures int
	failing  bridge.CallID
	several  bool
	// probes is how often the gate has shut since it was open last; until then
	// nobody passes.
	probes int
	until  time.Time
	// asked is the end of the pause that the CRM has asked for.
	asked time.Time
}

type gateState string

const (
	// gateOpen: as many requests as there are connections.
	gateOpen gateState = "open"
	// gateShut: nobody until the pause is over, then one.
	gateShut gateState = "shut"
	// gateOpening: one more with every request that gets through.
	gateOpening gateState = "opening"
)

func newGate(most int, pauses pauses) gate {
	return gate{most: most, pauses: pauses, state: gateOpen}
}

// admits tells whether one more request may be made now.
func (g *gate) admits(now time.Time) bool {
	switch g.state {
	case gateShut:
		return g.inFlight == 0 && !now.Before(g.until)
	case gateOpening:
		return g.inFlight < g.limit
	}
	return g.inFlight < g.most
}

// enter is told of a request that begins.
func (g *gate) enter() { g.inFlight++ }

// leave is told of a request that was broken off: it says nothing about the CRM.
func (g *gate) leave() { g.inFlight-- }

// passed is told of a request that the CRM took or refused for good: it is there. That
// does not cut short a pause that it has asked for.
func (g *gate) passed(now time.Time) {
	g.inFlight--
	g.failures, g.several = 0, false
	switch g.state {
	case gateShut:
		if now.Before(g.asked) {
			return
		}
		// Also one that was under way when the gate was shut.
		g.state, g.limit = gateOpening, 1
		fallthrough
	case gateOpening:
		if g.limit++; g.limit >= g.most {
			g.state, g.probes = gateOpen, 0
		}
	}
}

// idle is told that nobody waits to pass, and tells whether it opens for that: there is no
// crowd to be let in by and by.
func (g *gate) idle() bool {
	if g.state != gateOpening || g.inFlight > 0 {
		return false
	}
	g.state, g.probes = gateOpen, 0
	return true
}

// failed is told of a request that may succeed later, and how it failed.
func (g *gate) failed(now time.Time, call bridge.CallID, result bridge.Result) {
	g.inFlight--
	g.asked = later(g.asked, now.Add(result.RetryAfter))
	if g.state == gateShut && now.Before(g.until) {
		// It was under way when the gate was shut and says nothing new, but for the
		// pause that the CRM asks for.
		g.until = later(g.until, now.Add(result.RetryAfter))
		return
	}
	g.several = g.several || g.failures > 0 && g.failing != call
	g.failing = call
	g.failures++
	switch {
	case g.state == gateShut, result.Everybody, result.RetryAfter > 0:
	case g.state == gateOpening && g.several && g.failures >= shutAgainAfter:
	case g.state == gateOpen && g.several && g.failures >= shutAfter:
	default:
		return
	}
	g.state = gateShut
	g.probes++
	g.until = now.Add(max(result.RetryAfter, g.pauses.after(g.probes)))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
