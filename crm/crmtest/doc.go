// Package crmtest is a strict stand-in for Kontur.CRM: an HTTP handler that
// answers the telephony API as the contract documents it and notices everything
// that a well-behaved integration would never send.
//
// A [CRM] does three things. It answers: authorisation, access keys that expire,
// call-started with the CRM's own ids, 409 for what it can't accept. It judges:
// every body against the contract, and every call's requests against the rules
// that hold between them (order, legs, times, ids); what breaks a rule becomes a
// [Violation] and never an error of the test by itself. And it fails on demand:
// a [Rule] makes it answer badly, late or not at all.
//
// The package shares no code with the client that it judges, so that the two
// can't share a mistake.
package crmtest
