// Package bridge is the domain of kontur-ari: channel events of a telephone
// switch come in, reports about calls for Kontur.CRM go out. It is the bridge
// between the two systems, not an Asterisk bridge (those appear here as [Room]).
//
// [Tracker.Apply] decides everything and is pure: no clock, no I/O, no logger,
// no goroutine, so the same events always give the same reports, byte for byte.
// The package also owns the ports that the adapters around it implement:
// [Journal] and [Outbox] (package store), [Sender] (package crm), and the event
// vocabulary that package ari decodes into. It imports no other package of ours.
package bridge
