package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// AwaitIdle waits until no channel is up, so that no call reaches into the next test.
func (l *Lab) AwaitIdle(ctx context.Context) error {
	return l.await(ctx, "channels are still up", func() (bool, error) {
		channels, err := l.channels(ctx)
		return len(channels) == 0, err
	})
}

// AwaitRecorder waits until a message is being recorded.
func (l *Lab) AwaitRecorder(ctx context.Context) error {
	return l.await(ctx, "no message is being recorded", func() (bool, error) {
		// A mailbox keeps a message here while Asterisk records it.
		messages, err := filepath.Glob(l.asterisk.instance.outside + "/spool/voicemail/*/*/tmp/*.wav")
		if len(messages) > 0 || err != nil {
			return true, err
		}
		channels, err := l.channels(ctx)
		return slices.ContainsFunc(channels, func(c channel) bool {
			return c.State == "Up" && c.Dialplan.Application == "Record"
		}), err
	})
}

// await polls a condition until it holds. otherwise is the error text if it never does.
func (l *Lab) await(ctx context.Context, otherwise string, holds func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ok, err := holds()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", otherwise, context.Cause(ctx))
		}
	}
}
