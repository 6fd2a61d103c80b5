package longtest_test

import (
	"testing"

	"kontur-ari/internal/longtest"
)

func TestOnlyALongRunRepeatsOften(t *testing.T) {
	for value, want := range map[string]int{"": 10, "on": 1000, "1": 1000} {
		t.Setenv(longtest.Variable, value)
		if got := longtest.Count(10, 1000); got != want {
			t.Errorf("with %s=%q: %d times, want %d", longtest.Variable, value, got, want)
		}
	}
}
