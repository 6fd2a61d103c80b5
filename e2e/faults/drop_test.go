package faults_test

import (
	"context"
	"testing"

	"kontur-ari/ari/aritest"
)

// The connection to Asterisk breaks off in three ways. Afterwards the daemon reports what
// Asterisk's lists show, and it repeats no request.
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
