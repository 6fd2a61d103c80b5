// Package crmtest is a strict stand-in for Kontur.CRM: an HTTP handler that
// answers the telephony API as the contract documents it and notices everything
// that a well-behaved integration would never send.
//
// A [CRM] does four things. It answers: authorisation, access keys that expire,
// call-started with the CRM's own ids, who is responsible for a caller, how the
// integration is set up, 409 for what it can't accept. It commands: [System] sends
// CALL, HANGUP and webhooks as the CRM does. It judges: every body against the
// contract, every call's requests against the rules that hold between them (order,
// legs, times, ids), and every answer to its commands; what breaks a rule becomes a
// [Violation] and never an error of the test by itself. And it fails on demand: a
// [Rule] makes it answer badly, late or not at all.
//
// The package shares no code with the client that it judges, so that the two
// can't share a mistake.
package crmtest
