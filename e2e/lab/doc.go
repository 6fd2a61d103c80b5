// Package lab starts a real Asterisk with its telephones around it, for tests
// and for trying things by hand.
//
// [Start] needs root and a provisioned folder (provision.sh makes it); [Require]
// says which of them is missing. An instance listens on loopback only, on ports
// of its own, and keeps its files in a directory of its own, so that several run
// side by side. It dies with the process that started it, however that ends.
//
// [Daemon] is kontur-ari itself, built with the race detector and run as a
// process that can be killed. [Capture] records what ARI says.
package lab
