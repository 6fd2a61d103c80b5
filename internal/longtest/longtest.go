// Package longtest chooses how often a test repeats what it repeats: few times
// while a person waits for `go test`, many times in `make test-long`.
//
// The properties of pgregory.net/rapid do not need it: their number of checks is
// RAPID_CHECKS of the environment, which `make test-long` sets too.
package longtest

import "os"

// Variable is the environment variable that makes tests long, with any value but
// "". An environment variable reaches the tests of every package; a flag would fail
// in each package that does not define it.
const Variable = "KONTUR_ARI_LONG_TESTS"

// Count returns large in a long run of the tests and small in any other. Only tests
// and benchmarks call it.
func Count(small, large int) int {
	if os.Getenv(Variable) != "" {
		return large
	}
	return small
}
