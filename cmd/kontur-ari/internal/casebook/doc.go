// Package casebook reads back what is known of one call: it chooses the events of
// the call from a journal or a capture, shows them as a ladder, and replays them.
//
//   - [Source] reads passages from a store's journal or from a capture.
//   - A story is the part of those events that one call's reports come from.
//   - [Ladder] sets a story and the CRM's answers in the order of time.
//   - [Replay] gives events to a new Tracker and shows the reports it makes.
//
// Reading files is in source.go and journal.go. Everything else is pure but for
// the writers it is handed. Nothing here writes to a store or uses the network.
package casebook
