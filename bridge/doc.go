// Package bridge is the domain of kontur-ari: channel events of a telephone
// switch come in, reports about calls for Kontur.CRM go out. It is the bridge
// between the two systems, not an Asterisk bridge (those appear here as [Room]).
//
// [Tracker.Apply] decides everything and is pure: no clock, no I/O, no logger,
// no goroutine, so the same events always give the same reports, byte for byte.
// The package also owns the ports that the adapters around it implement:
// [Journal] and [Outbox] (package store), [Sender] (package crm), and the event
// vocabulary that package ari decodes into. It imports no other package of ours.
//
// How the Tracker comes to its reports, by file:
//
//   - channels.go: who is there, and in which call.
//   - dial.go: who is called by whom, through Local channels where need be.
//   - room.go: who hears whom.
//   - join.go: what it means that people hear each other whom no dial has brought
//     together: a consultation handed over, a pickup, parking, a conference.
//   - transfer.go: what the transfer events add to that.
//   - leg.go, talk.go: when a leg begins, is connected, on hold, and over.
//   - ordered.go: calls that the CRM has ordered.
//   - reconcile.go: making all this agree with a snapshot of the switch.
//   - reporting.go: the reports themselves; saved.go: surviving a restart.
package bridge
