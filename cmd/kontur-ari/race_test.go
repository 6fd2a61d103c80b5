//go:build race

package main

// raceDetected: everything takes fifteen times as long.
const raceDetected = true
