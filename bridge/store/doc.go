// Package store keeps what kontur-ari must not forget, in one SQLite file: the journal of
// events, the calls in progress, the outbox of reports, what was delivered and what was
// refused.
//
// Every write is durable before its method returns (bridge/store/sqlite). An administrator
// can read the file with the sqlite3 shell while the daemon runs.
//
// A file that is damaged is moved aside at the start, and a new one begun with what can be
// read (bridge/store/rescue). A store that finds damage while it is open is not used
// any more, and the process must end: see [Store.Damaged].
package store
