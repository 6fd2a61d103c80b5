// Package rescue puts a new file in the place of a damaged one, with what can be read of it.
//
// It works only while no process has the file open: a process that finds damage while it runs
// leaves a note with [Note] and ends, and its next start finds the note and calls [Plan.Run].
// The damaged file is moved aside with its log. It is never changed, overwritten or deleted.
package rescue
