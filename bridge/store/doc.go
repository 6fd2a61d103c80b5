// Package store keeps what kontur-ari must not forget, in one SQLite file: the
// journal of events, the calls in progress, the outbox of reports, what was
// delivered and what was refused.
//
// Every write is durable before its method returns (write-ahead log,
// synchronous=FULL). Writes that arrive together share one transaction and so
// one flush of the disk. An administrator can read the file with the sqlite3
// shell while the daemon runs.
package store
