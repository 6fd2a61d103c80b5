// Package tracker turns the events of a telephone exchange into reports for
// Kontur.CRM. [Tracker.Apply] decides everything and is pure: no clock, no I/O, no
// logger, no goroutine. The same events give the same reports, byte for byte.
// Surviving a crash and replaying a support case both rest on that.
//
// How the Tracker comes to its reports, by file:
//
//   - channels.go: which channels live, and to which call each belongs; call.go: its state.
//   - dial.go: who calls whom, through Local channels where need be; dialnumbers.go: which
//     number that is.
//   - direction.go: whether a call is inbound, outbound or internal.
//   - bridges.go: who hears whom.
//   - undialled.go: legs that no dial explains: a completed consultation, a pickup,
//     a parked call, a conference.
//   - transfer.go: what the events of blind and attended transfers add to that.
//   - leg.go, legstate.go: when a leg appears, is connected, on hold, and over.
//   - clicktocall.go: calls that the CRM has commanded; clicktocalldecision.go: whether
//     such a command is accepted.
//   - reconcile.go, reconciledials.go: what becomes of calls whose events were lost. A
//     snapshot, Asterisk's lists of channels and bridges, shows that.
//   - recorded.go, ownrecordings.go, switchrecordings.go: whose a recording is.
//   - reporting.go: the reports themselves; saved.go: surviving a restart.
package tracker
