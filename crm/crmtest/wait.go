package crmtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Requests returns every request decided so far, in that order.
func (c *CRM) Requests() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

// Violations returns everything found wrong so far, in the order of the requests.
func (c *CRM) Violations() []Violation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.violations)
}

// Repeats returns how many requests repeated, byte for byte, the latest effective
// request of their call: what at-least-once delivery does when an answer is lost.
func (c *CRM) Repeats() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.repeats
}

// Calls returns the calls that have an effective request, in the order they began.
func (c *CRM) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	var calls []Call
	for _, call := range c.calls {
		if len(call.requests) > 0 {
			calls = append(calls, call.snapshot())
		}
	}
	return calls
}

// Call returns the call with our own externalId; false when it has no
// effective request.
func (c *CRM) Call(id string) (Call, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if call := c.byID[id]; call != nil && len(call.requests) > 0 {
		return call.snapshot(), true
	}
	return Call{}, false
}

func (c *call) snapshot() Call {
	out := Call{
		ID: c.id, CommunicationID: c.communication, Direction: c.story.direction,
		Requests: slices.Clone(c.requests),
		Finished: c.story.finished, Failed: c.story.failed, Registered: c.story.registered,
	}
	for _, l := range c.story.legs {
		out.Legs = append(out.Legs, l.id)
	}
	return out
}

// WaitFor returns nil as soon as the predicate holds. It is asked at once and
// again after every request, and may call every method of the CRM. When ctx ends
// first, the error lists what has arrived until then.
func (c *CRM) WaitFor(ctx context.Context, predicate func(*CRM) bool) error {
	for {
		c.mu.Lock()
		changed := c.changed
		c.mu.Unlock()
		if predicate(c) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the CRM to be told: %w; so far:\n%s", ctx.Err(), c.Summary())
		}
	}
}

// WaitCalls waits until at least n calls have begun.
func (c *CRM) WaitCalls(ctx context.Context, n int) error {
	return c.WaitFor(ctx, func(c *CRM) bool { begun, _, _ := c.count(); return begun >= n })
}

// WaitRegistered waits until at least n calls have been registered.
func (c *CRM) WaitRegistered(ctx context.Context, n int) error {
	return c.WaitFor(ctx, func(c *CRM) bool { _, registered, _ := c.count(); return registered >= n })
}

// WaitOver waits until at least n calls have begun and every one is over.
func (c *CRM) WaitOver(ctx context.Context, n int) error {
	return c.WaitFor(ctx, func(c *CRM) bool { begun, _, over := c.count(); return begun >= n && over == begun })
}

// count counts calls without copying them: it runs after every request.
func (c *CRM) count() (begun, registered, over int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range c.calls {
		if len(call.requests) == 0 {
			continue
		}
		begun++
		if call.story.registered {
			registered++
		}
		if call.story.registered || call.story.failed {
			over++
		}
	}
	return begun, registered, over
}

// Summary is every effective request and every breach, in lines for a person.
func (c *CRM) Summary() string {
	var b strings.Builder
	for _, call := range c.Calls() {
		fmt.Fprintf(&b, "call %s (%s): %s\n", call.ID, call.CommunicationID, strings.Join(call.Sequence(), ", "))
	}
	for _, violation := range c.Violations() {
		fmt.Fprintf(&b, "violation: %s\n", violation)
	}
	fmt.Fprintf(&b, "%d requests, %d repeats\n", len(c.Requests()), c.Repeats())
	return b.String()
}
