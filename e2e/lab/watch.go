package lab

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// AwaitIdle waits until no channel is up, so that one test's calls are not the
// next one's.
func (l *Lab) AwaitIdle(ctx context.Context) error {
	return l.await(ctx, "channels are still up", func() (bool, error) {
		channels, err := l.channels(ctx)
		return len(channels) == 0, err
	})
}

// Talks counts the conversations: bridges with two channels in them.
func (l *Lab) Talks(ctx context.Context) (int, error) {
	var bridges []struct {
		Type     string `json:"bridge_type"`
		Channels []string
	}
	if err := l.asterisk.ari.do(ctx, http.MethodGet, "/bridges", &bridges); err != nil {
		return 0, err
	}
	talks := 0
	for _, bridge := range bridges {
		if bridge.Type == "mixing" && len(bridge.Channels) >= 2 {
			talks++
		}
	}
	return talks, nil
}

// AwaitTalks waits until at least that many conversations go on. A phone hears
// of an answer a moment earlier.
func (l *Lab) AwaitTalks(ctx context.Context, count int) error {
	return l.await(ctx, fmt.Sprintf("not %d conversations", count), func() (bool, error) {
		talks, err := l.Talks(ctx)
		return talks >= count, err
	})
}

// HangupAll hangs up whatever is up, for the end of a test that failed.
func (l *Lab) HangupAll(ctx context.Context) error {
	channels, err := l.channels(ctx)
	if err != nil {
		return err
	}
	for _, id := range channels {
		// It may be gone by now, and then all is well.
		_ = l.asterisk.ari.do(ctx, http.MethodDelete, "/channels/"+id, nil)
	}
	return nil
}

// channels are the ids of all channels.
func (l *Lab) channels(ctx context.Context) ([]string, error) {
	var channels []struct{ ID string }
	if err := l.asterisk.ari.do(ctx, http.MethodGet, "/channels", &channels); err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(channels))
	for _, channel := range channels {
		ids = append(ids, channel.ID)
	}
	return ids, nil
}

// await looks at a condition until it holds.
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

// AwaitGone waits until no channel is up whose name begins like that:
// "PJSIP/101-" for those of one phone, "Local/" for the switch's own.
func (l *Lab) AwaitGone(ctx context.Context, prefix string) error {
	return l.AwaitChannels(ctx, prefix, 0)
}

// AwaitChannels waits until exactly that many channels are up whose names begin
// like that.
func (l *Lab) AwaitChannels(ctx context.Context, prefix string, count int) error {
	return l.awaitChannels(ctx, fmt.Sprintf("not %d channels %s are up", count, prefix), func(channels []channel) bool {
		here := 0
		for _, c := range channels {
			if strings.HasPrefix(c.Name, prefix) {
				here++
			}
		}
		return here == count
	})
}

// AwaitRunning waits until a channel runs an application of the dialplan.
func (l *Lab) AwaitRunning(ctx context.Context, application string) error {
	return l.awaitChannels(ctx, "no channel runs "+application, func(channels []channel) bool {
		return slices.ContainsFunc(channels, func(c channel) bool { return c.Dialplan.Application == application })
	})
}

// channel is one of ARI's list.
type channel struct {
	Name     string
	Dialplan struct {
		Application string `json:"app_name"`
	}
}

func (l *Lab) awaitChannels(ctx context.Context, otherwise string, holds func([]channel) bool) error {
	return l.await(ctx, otherwise, func() (bool, error) {
		var channels []channel
		err := l.asterisk.ari.do(ctx, http.MethodGet, "/channels", &channels)
		return err == nil && holds(channels), err
	})
}
