package faults_test

import (
	"context"
	"testing"
	"time"

	"kontur-ari/crm/crmtest"
)

// slowly has the CRM take requests at once and answer them 50 ms later. So some answers
// are on their way when the daemon is killed.
func slowly(o *office) error {
	o.crm.Fail(crmtest.Rule{Late: 50 * time.Millisecond})
	return nil
}

// A daemon that is killed at any moment and restarted at once reports every event that it
// had stored. It repeats only a request that the CRM may have answered just then.
func TestAKilledDaemonReportsAllThatItStored(t *testing.T) {
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
