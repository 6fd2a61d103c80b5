// Package redirect chooses who is to be called first for a client who calls in: it
// asks the CRM who is responsible for the number, finds the first of those users
// whose telephone is registered and not busy, and lets the dial plan go on at that
// telephone's extension, or where it was left.
//
// It calls nobody itself and can send nobody anywhere: what it hands over is always
// an extension of the directory, never a number that came from the CRM.
//
// Somebody hears silence meanwhile. So a caller waits no longer than Config.Timeout,
// whatever hangs; a CRM that fails again and again is not asked for a while; and
// whatever goes wrong, the channel is told to go on.
//
//   - choice.go: the decision, which is pure.
//   - responsible.go: asking the CRM, with a circuit breaker.
//   - redirector.go: a caller's way through; release.go: the way out.
package redirect
