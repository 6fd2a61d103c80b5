//go:build !race

package bridge_test

const raceDetected = false
