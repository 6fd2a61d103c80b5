package redirect_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge/redirect"
)

// step is the course of one request: how long it takes, and whether it fails then. It ends
// early when its context does.
type step struct {
	takes time.Duration
	fails bool
}

func (s step) run(ctx context.Context) error {
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.fails {
		return errors.New("HTTP 500")
	}
	return nil
}

var steps = rapid.Custom(func(t *rapid.T) step {
	return step{
		takes: time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond,
		fails: rapid.Bool().Draw(t, "fails"),
	}
})

// The CRM, the telephones and the variables may take any time, and each may fail. As long as
// Asterisk obeys, the caller goes on within the budget, and FOUND always comes with a user.
func TestEveryCallerGoesOnWithinTheBudget(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		crm, phone := steps.Draw(rt, "crm"), steps.Draw(rt, "phone")
		sets := [3]step{steps.Draw(rt, "set 1"), steps.Draw(rt, "set 2"), steps.Draw(rt, "set 3")}
		state := rapid.SampledFrom([]redirect.PhoneState{redirect.PhoneFree, redirect.PhoneBusy, redirect.PhoneOffline}).Draw(rt, "state")
		var after time.Duration
		var found map[string]string
		play(t, func(_ *testing.T, e *rig) {
			e.crm = func(ctx context.Context, _ redirect.Query) ([]string, error) {
				return []string{"anna", "boris"}, crm.run(ctx)
			}
			e.phone = func(ctx context.Context, _ string) (redirect.PhoneState, error) { return state, phone.run(ctx) }
			e.set = func(ctx context.Context, try int) error { return sets[try].run(ctx) }
			e.enters("1.1", client)
			after, found = e.went["1.1"], e.variables["1.1"]
		})
		if after > budget {
			rt.Fatalf("the caller went on after %s", after)
		}
		result, set := found["KONTUR_RESULT"]
		if (result == "FOUND") != (set && found["KONTUR_EXTEN"] != "" && found["KONTUR_USER"] != "") {
			rt.Fatalf("%v", found)
		}
	})
}
