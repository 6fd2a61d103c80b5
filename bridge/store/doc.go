// Package store keeps what kontur-ari must not forget, in one SQLite file: the journal of
// events, the calls in progress, the outbox of reports, what was delivered and what was
// refused.
//
// Every write is durable before its method returns (bridge/store/sqlite). An administrator
// can read the file with the sqlite3 shell while the daemon runs.
//
// A file that is damaged is moved aside at the start, and a new one begun with what can be
// read (bridge/store/rescue, openRescued in store.go). A store that finds damage while it is
// open leaves a note (noteDamage in damage.go) and is not used any more: the daemon ends
// (watchStore in its damage.go), and its next start finds the note.
package store
