package faults_test

import (
	"context"
	"testing"
	"time"

	"kontur-ari/crm/crmtest"
)

// slowly has the CRM take requests at once and answer them later, as real ones do:
// some answers are on their way whenever the daemon is killed.
func slowly(o *office) error {
	o.crm.Fail(crmtest.Rule{Late: 50 * time.Millisecond})
	return nil
}

// A daemon that is killed at any moment and started again at once loses nothing that
// it had heard, and tells nothing twice but what the CRM may have answered just then.
func TestAKilledDaemonTellsAllThatItHeard(t *testing.T) {
	fault{
		name: "SIGKILL", full: 200, short: 12, parts: 4, repeats: "one a call and death", prepare: slowly,
		strike: func(ctx context.Context, o *office, _ int) (allowance, error) {
			if err := o.daemon.Kill(); err != nil {
				return allowance{}, err
			}
			o.judge.cuts()
			o.healed()
			return allowance{cuts: true, crashes: true}, o.daemon.Start(ctx)
		},
	}.run(t)
}
