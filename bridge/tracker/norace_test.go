//go:build !race

package tracker_test

const raceDetected = false
