//go:build race

package tracker_test

// raceDetected: everything takes fifteen times as long.
const raceDetected = true
