package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// channel is one of ARI's channels.
type channel struct {
	ID, Name, State string
	Dialplan        struct {
		Application string `json:"app_name"`
	}
}

func (l *Lab) channels(ctx context.Context) ([]channel, error) {
	var channels []channel
	err := l.asterisk.ari.do(ctx, http.MethodGet, "/channels", &channels)
	return channels, err
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

// AwaitUp waits until at least that many channels whose names begin like that are
// answered. A Local channel's halves are so one after the other.
func (l *Lab) AwaitUp(ctx context.Context, prefix string, count int) error {
	return l.awaitChannels(ctx, fmt.Sprintf("not %d channels %s are answered", count, prefix), func(channels []channel) bool {
		up := 0
		for _, c := range channels {
			if strings.HasPrefix(c.Name, prefix) && c.State == "Up" {
				up++
			}
		}
		return up >= count
	})
}

// AwaitRunning waits until a channel runs an application of the dialplan.
func (l *Lab) AwaitRunning(ctx context.Context, application string) error {
	return l.awaitChannels(ctx, "no channel runs "+application, func(channels []channel) bool {
		return slices.ContainsFunc(channels, func(c channel) bool { return c.Dialplan.Application == application })
	})
}

// AwaitRinging waits until at least that many phones are known to ring.
func (l *Lab) AwaitRinging(ctx context.Context, count int) error {
	return l.await(ctx, fmt.Sprintf("not %d phones ring", count), func() (bool, error) {
		channels, err := l.channels(ctx)
		ringing := 0
		for _, channel := range channels {
			if channel.State == "Ringing" {
				ringing++
			}
		}
		return ringing >= count, err
	})
}

func (l *Lab) awaitChannels(ctx context.Context, otherwise string, holds func([]channel) bool) error {
	return l.await(ctx, otherwise, func() (bool, error) {
		channels, err := l.channels(ctx)
		return err == nil && holds(channels), err
	})
}

// ChannelNamed is the id of a channel whose name begins like that.
func (l *Lab) ChannelNamed(ctx context.Context, prefix string) (string, error) {
	channels, err := l.channels(ctx)
	for _, c := range channels {
		if strings.HasPrefix(c.Name, prefix) {
			return c.ID, err
		}
	}
	return "", errors.Join(err, fmt.Errorf("no channel %s is up", prefix))
}

// REST makes a request to ARI, as another application would.
func (l *Lab) REST(ctx context.Context, method, path string) error {
	return l.asterisk.ari.do(ctx, method, path, nil)
}

// HangupAll hangs up whatever is up, for the end of a test that failed.
func (l *Lab) HangupAll(ctx context.Context) error {
	channels, err := l.channels(ctx)
	if err != nil {
		return err
	}
	for _, channel := range channels {
		// It may be gone by now, and then all is well.
		_ = l.asterisk.ari.do(ctx, http.MethodDelete, "/channels/"+channel.ID, nil)
	}
	return nil
}
