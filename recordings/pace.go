package recordings

import "time"

// pace is how often a Courier looks at things that send it no event.
type pace struct {
	// news is the pause between a wake-up ([Courier.Look]) and the look at the store. The
	// report of the call's end goes first, and calls that end together cost one query.
	news time.Duration
	// look is the pause between two looks at a file.
	look time.Duration
	// load is the longest pause between two looks at the store. It finds the jobs that an
	// operator has put back.
	load time.Duration
	// fetch is the longest pause between two attempts to fetch a file from the switch.
	fetch time.Duration
	// upload is the longest pause between two queries for due uploads.
	upload time.Duration
	// reach is the pause between two checks whether the CRM can be reached again.
	reach time.Duration
	// remove is the pause between two rounds that remove files.
	remove time.Duration
	// store is the pause before a write that must not be lost is repeated.
	store time.Duration
}

var usualPace = pace{
	news:   100 * time.Millisecond,
	look:   500 * time.Millisecond,
	load:   5 * time.Second,
	fetch:  30 * time.Second,
	upload: 5 * time.Second,
	reach:  time.Second,
	remove: 2 * time.Second,
	store:  time.Second,
}
