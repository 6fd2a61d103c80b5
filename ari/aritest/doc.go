// Package aritest is an Asterisk REST Interface for tests: a [Server] that speaks
// as much of ARI as package ari uses, behaves like Asterisk 22 where that was
// measured, and misbehaves on demand: silent, deaf, hanging, refusing, replaced.
//
// It is a program of its own rather than a mock: it knows nothing of its client
// and expects no particular calls.
package aritest
