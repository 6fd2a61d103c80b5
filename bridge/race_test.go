//go:build race

package bridge_test

// raceDetected: everything takes fifteen times as long.
const raceDetected = true
