// Package redirect chooses who is to be called first for a client who calls in: it
// asks the CRM who is responsible for the number, finds the first of those users
// whose telephone is registered and not busy, and lets the dial plan go on at that
// telephone's extension, or where it was left.
//
// It calls no telephone itself. What it hands over is always an extension of the
// directory, never a number that came from the CRM.
//
// The caller hears silence until then. So a caller waits no longer than Config.Timeout,
// whatever hangs. A CRM that fails again and again is not asked for a while. Whatever goes
// wrong, the channel continues in the dial plan.
//
//   - choice.go: the decision, which is pure.
//   - responsible.go: asking the CRM, with a circuit breaker.
//   - redirector.go: one caller from entering Stasis to the decision.
//   - release.go: continuing in the dial plan, with the answer.
package redirect
