package daemon

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stopOrder records which parts were stopped, in order.
type stopOrder struct{ names []string }

func (o *stopOrder) stage(name string) stage {
	return stage{shortly, []*part{{name: name, run: func(ctx context.Context) error {
		<-ctx.Done()
		o.names = append(o.names, name)
		return nil
	}}}}
}

func TestStagesStopInReverse(t *testing.T) {
	var order stopOrder
	d := &Daemon{stages: []stage{order.stage("first"), order.stage("second"), order.stage("third")}}
	d.undo.push(shortly, closing("acquired", noError(func() { order.names = append(order.names, "acquired") })))
	d.Start()
	if err := d.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{"third", "second", "first", "acquired"}; !slices.Equal(order.names, want) {
		t.Errorf("stopped %v, want %v", order.names, want)
	}
}

// A part that never ends is named, and leaves time for those after it.
func TestAPartThatHangsTakesAShareOfTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		hung := &part{name: "the hung one", run: func(context.Context) error { <-release; return nil }}
		blocked := &part{name: "the blocked one", drain: func(context.Context) error { <-release; return nil }}
		quick := &part{name: "quick", run: func(ctx context.Context) error { <-ctx.Done(); return nil }}
		var left time.Duration
		d := &Daemon{stages: []stage{{shortly, []*part{quick}}, {shortly, []*part{hung, blocked}}}}
		d.undo.push(1, func(ctx context.Context) error {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return nil
		})
		d.Start()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := d.Stop(ctx)
		if lasted := time.Since(began); lasted != 2500*time.Millisecond || left != 7500*time.Millisecond {
			t.Errorf("the stop took %v, the last step had %v", lasted, left)
		}
		for _, name := range []string{hung.name, blocked.name} {
			if err == nil || strings.Count(err.Error(), name+" did not stop in time") != 1 {
				t.Errorf("the error does not name %s once: %v", name, err)
			}
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is no deadline's: %v", err)
		}
		close(release)
	})
}

func TestTheErrorOfAVitalPartIsReportedWhileTheDaemonRuns(t *testing.T) {
	d, logs := observed()
	broken := errors.New("broken")
	d.stages = []stage{
		{shortly, []*part{{name: "optional", run: func(context.Context) error { return errors.New("missing") }}}},
		{shortly, []*part{{name: "vital", vital: true, run: func(context.Context) error { return broken }}}},
	}
	d.Start()
	select {
	case err := <-d.Failed():
		if !errors.Is(err, broken) {
			t.Errorf("failed with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("nothing is reported")
	}
	eventually(t, "both ends are logged", func() bool { return logs.FilterMessage("a part has ended").Len() == 2 })
	if err := d.Stop(t.Context()); !errors.Is(err, broken) {
		t.Errorf("the stop returns %v", err)
	}
}

func TestAPartCanBeStartedAgainAfterAStop(t *testing.T) {
	runs := 0
	p := &part{name: "part", run: func(ctx context.Context) error { runs++; <-ctx.Done(); return nil }}
	for range 2 {
		p.start(func(*part, error) {})
		for range 2 {
			if err := p.stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	if runs != 2 {
		t.Errorf("%d runs", runs)
	}
}
