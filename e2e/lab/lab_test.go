package lab_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// start starts a lab for one test.
func start(t *testing.T) *lab.Lab {
	if os.Getenv(lab.Switch) == "off" {
		t.Skip(lab.Switch + "=off")
	}
	l, err := lab.Start(t.Context(), lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// answeredCall calls 101 from outside; it is answered and hung up.
func answeredCall(ctx context.Context, l *lab.Lab) error {
	caller, err := l.Trunk.Call(ctx, phone.As("79997775533", "78005550101"))
	if err != nil {
		return err
	}
	callee, err := l.Phone("101").AwaitCall(ctx, "")
	if err != nil {
		return err
	}
	if err := errors.Join(callee.Ring(), callee.Answer(ctx), caller.AwaitAnswered(ctx), callee.Hangup(ctx)); err != nil {
		return err
	}
	_, err = caller.AwaitEnded(ctx)
	return err
}

func TestTwoLabsRunSideBySide(t *testing.T) {
	first, second := start(t), start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, l := range []*lab.Lab{first, second, first} {
		if err := answeredCall(ctx, l); err != nil {
			t.Fatal(err, l.Report("101", "trunk"))
		}
	}
}

func TestALabThatWasKilledComesBack(t *testing.T) {
	l := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := answeredCall(contextThatEnds(ctx), l); err == nil {
		t.Error("a call was possible without Asterisk")
	}
	if err := l.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := answeredCall(ctx, l); err != nil {
		t.Fatal(err, l.Report("101", "trunk"))
	}
}

// contextThatEnds leaves a call without Asterisk a moment to fail.
func contextThatEnds(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	context.AfterFunc(ctx, cancel)
	return ctx
}

func TestAPhoneHasManyCallsAtOnce(t *testing.T) {
	l := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l.Phone("101").Automatic(func(ctx context.Context, call *phone.Call) {
		if errors.Join(call.Ring(), call.Answer(ctx)) == nil {
			_, _ = call.AwaitEnded(ctx)
		}
	})
	const count = 20
	calls := make([]*phone.Call, count)
	for i := range calls {
		var err error
		if calls[i], err = l.Trunk.Call(ctx, phone.As("79997775533", "78005550101")); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.AwaitTalks(ctx, count); err != nil {
		t.Fatal(err)
	}
	for _, call := range calls {
		if err := call.Hangup(ctx); err != nil {
			t.Error(err)
		}
	}
	if err := l.AwaitIdle(ctx); err != nil {
		t.Error(err)
	}
}
