// Package sqlite keeps one durable SQLite file. It knows nothing about telephone calls.
//
// Every write is durable when [DB.Write] returns: write-ahead log, synchronous=FULL. One
// goroutine writes. Writes that wait at the same time share one transaction, and so one
// flush of the disk. Reads run beside the writer on connections of their own.
//
// A file that turns out to be damaged is not used any more: see [Options.Damaged].
package sqlite
