package main

import "time"

// began is when this process began; all times of a measurement are since then, on the
// monotonic clock.
var began = time.Now()

// moment is a time since began, in nanoseconds.
type moment int64

func now() moment { return moment(time.Since(began)) }

// seconds is how long it is from one moment to another.
func seconds(from, to moment) float64 { return time.Duration(to - from).Seconds() }
