// Package commander carries out the commands of the CRM: it rings telephones for
// click-to-calls and hangs up, within what the operator allows.
//
// A click-to-call is durable before the switch gets any request. The ids of its channels
// follow from the communication's id, so a command that is repeated, or is found after a
// crash, can be looked up. No telephone is ever called twice for it.
//
// A repeated command is recognised in commander.go (Call, knownBefore) by what the store has
// of its communication, and gets the same answer. The Tracker, which knows the click-to-calls
// in progress, accepts a new one or finds it one too many ([tracker.Tracker.DecideClick]). It
// also finds the repeated one that the store could not know yet, because it was stored late.
//
// The Tracker decides from the switch's events what happens to the call, as for every other
// call. This package carries out what it asks for (see [Commander.Act]).
//
//   - commander.go: one click-to-call from the command to the ringing telephones.
//   - policy.go: which commands are obeyed; limits.go: how many of one user.
//   - ring.go: ringing the telephones; recover.go: what a crash has interrupted.
//   - hangup.go: the other command; act.go, record.go: what the Tracker asks for.
package commander
