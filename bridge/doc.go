// Package bridge is the vocabulary of kontur-ari and its ports: what Asterisk
// says ([Event]), what Kontur.CRM gets ([Report]), what the CRM commands
// ([CallCommand], [HangupCommand]), and the interfaces that the packages around it
// implement. The name means the bridge between the two systems; a bridge of
// Asterisk is a [Bridge] here.
//
// The package has no behaviour beyond making and parsing its own values, and
// imports no other package of ours:
//
//   - bridge/tracker decides: events in, reports out. Its package comment says which file
//     decides what: directions, legs, transfers, lost events, whose a recording is.
//   - bridge/directory says who is behind an endpoint, and brings a telephone number into
//     its one form (Numbers.Normalise).
//   - bridge/intake, delivery, commander and redirect are the machines around them.
//   - bridge/store implements [Journal], [Outbox] and [ClickToCalls]; ari implements
//     [Phones]; crm implements [Sender] and [Uploader].
package bridge
