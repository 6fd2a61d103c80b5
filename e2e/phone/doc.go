// Package phone makes telephone calls: a scripted SIP telephone for tests.
//
// A [Phone] stands for a desk phone (it registers, with a password) or for the
// far side of a trunk (it doesn't register, and may show any caller). A [Call]
// is driven step by step by the test: ring, answer, hold, hang up; every step
// and every wait takes a context and returns an error instead of hanging.
//
// It speaks just enough SIP for Asterisk on loopback: UDP, digest passwords,
// dialogs, re-INVITE, REFER, INFO. It sends no sound unless asked to ([Call.Speak]);
// Asterisk rarely misses it.
package phone
