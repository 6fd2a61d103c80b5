package crmtest

import (
	"net/http"
	"slices"
	"time"
)

// Rule makes requests fail. The first rule in force that fits a request decides
// about it; Kind, Call and Match must all fit.
type Rule struct {
	// Kind is the kind of request; KindUnknown ("") means every call report.
	Kind Kind
	// Call is our own externalId of the call; "" means every call.
	Call string
	// Match looks at the request, of which nothing is decided yet; nil: any.
	// It must not call the CRM.
	Match func(Request) bool
	// Times is how many requests the rule is good for; 0: no limit.
	Times int

	// Delay is waited before anything else happens. The request counts as in
	// flight during that time, so to outlast a client's patience use Hang.
	Delay time.Duration
	// Hang never answers: it holds the request until its client gives up or the
	// server closes. The request has no effect.
	Hang bool
	// CloseConnection closes the connection without an answer; the request has no effect.
	CloseConnection bool
	// CutAfter, for an upload, closes the connection once so many bytes of its body were
	// read.
	CutAfter int64
	// DropAnswer takes the request as usual, then closes the connection instead
	// of answering: the answer is lost.
	DropAnswer bool
	// Reset makes CloseConnection and DropAnswer break the connection off by a TCP
	// reset, where they would close it.
	Reset bool
	// Late gives the answer so much later than the request was taken: a client that dies
	// in between has reported something without knowing it.
	Late time.Duration
	// Drip gives the answer a byte of its body at a time, each after this pause.
	Drip time.Duration
	// Status, when not 0, Body and Header are the answer. 2xx: the request is
	// taken as usual and only its answer replaced. 4xx but 401, 408, 425 and 429:
	// the request is refused for good, which is an effect. Else it has none.
	Status int
	Body   string
	Header http.Header
}

func (r *Rule) fits(request Request) bool {
	switch {
	case r.Kind != request.Kind && (r.Kind != KindUnknown || !request.Kind.isReport()):
		return false
	case r.Call != "" && r.Call != request.Call:
		return false
	}
	return r.Match == nil || r.Match(request)
}

// refuses reports whether the rule's answer is a refusal for good.
func (r *Rule) refuses() bool {
	switch r.Status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return r.Status >= 400 && r.Status < 500
}

// ruleInForce is a rule and how often it may still be used.
type ruleInForce struct {
	Rule
	left int
}

// Fail puts a rule in force, after those that are; the function it returns takes
// it out again.
func (c *CRM) Fail(rule Rule) (remove func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	inForce := &ruleInForce{Rule: rule, left: rule.Times}
	c.rules = append(c.rules, inForce)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.rules = slices.DeleteFunc(c.rules, func(r *ruleInForce) bool { return r == inForce })
	}
}

// SetDown makes every request be answered 503 (true) or served again (false).
// It comes before all rules.
func (c *CRM) SetDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

// ruleFor finds the rule that decides about a request and uses it up by one;
// nil when none does. The caller holds the lock.
func (c *CRM) ruleFor(request Request) *Rule {
	if c.down {
		return &Rule{Status: http.StatusServiceUnavailable, Body: "the CRM is down"}
	}
	for i, rule := range c.rules {
		if !rule.fits(request) {
			continue
		}
		if rule.Times > 0 {
			if rule.left--; rule.left == 0 {
				c.rules = slices.Delete(c.rules, i, i+1)
			}
		}
		return &rule.Rule
	}
	return nil
}
