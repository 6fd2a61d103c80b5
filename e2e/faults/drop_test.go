package faults_test

import (
	"context"
	"testing"

	"kontur-ari/ari/aritest"
)

// Whatever way the connection to Asterisk breaks off, what is known of the calls
// afterwards is what Asterisk says then, and nothing is told twice.
func TestABrokenConnectionToAsteriskLosesWhatWasOnItsWay(t *testing.T) {
	breaks := []func(*aritest.Server){(*aritest.Server).Drop, (*aritest.Server).Reset, (*aritest.Server).Silence}
	fault{
		name: "ARI drop", full: 100, short: 3, parts: 5, repeats: "none",
		strike: func(ctx context.Context, o *office, round int) (allowance, error) {
			connected := o.server.Connected()
			o.judge.cuts()
			breaks[round%len(breaks)](o.server)
			o.healed()
			return allowance{cuts: true}, o.server.AwaitConnected(ctx, connected+1)
		},
	}.run(t)
}
