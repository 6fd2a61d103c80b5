package oncelog_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/internal/oncelog"
)

func TestATroubleIsOneLineForEachCauseAndOneWhenItIsOver(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	trouble := oncelog.New(zap.New(core), zapcore.WarnLevel, "it fails", "it works")
	trouble.Over("a")
	for range 3 {
		trouble.Failed("a", "no answer")
		trouble.Failed("b", "no answer")
		trouble.Failed("b", "refused")
	}
	trouble.Over("a")
	trouble.Over("a")
	trouble.Over("b")
	trouble.Failed("a", "no answer")
	trouble.AllOver()

	var got []string
	for _, line := range logs.All() {
		fields := line.ContextMap()
		got = append(got, fmt.Sprintf("%s %s %v %v", line.Level, line.Message, fields["reason"], fields["failed"]))
	}
	want := []string{
		"warn it fails no answer <nil>", "warn it fails refused <nil>", "info it works <nil> 9",
		"warn it fails no answer <nil>", "info it works <nil> 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("logged\n%q\nwant\n%q", got, want)
	}
}

func TestATroubleWithEndlesslyManyCausesDoesNotFillTheLog(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	trouble := oncelog.New(zap.New(core), zapcore.WarnLevel, "it fails", "it works")
	for n := range 1000 {
		trouble.Failed("a", fmt.Sprintf("127.0.0.1:%d: no answer", n))
	}
	if logs.Len() != 32 {
		t.Errorf("%d lines, want 32", logs.Len())
	}
}

func TestTheCauseIsTheInnermostError(t *testing.T) {
	inner := errors.New("disk full")
	if cause := oncelog.Cause(fmt.Errorf("call 7: %w", fmt.Errorf("storing: %w", inner))); cause != "disk full" {
		t.Errorf("the cause is %q", cause)
	}
}
