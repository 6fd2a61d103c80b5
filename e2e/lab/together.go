package lab

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// bridge is one of ARI's bridges.
type bridge struct {
	Type     string `json:"bridge_type"`
	Channels []string
}

func (l *Lab) bridges(ctx context.Context) ([]bridge, error) {
	var bridges []bridge
	err := l.asterisk.ari.do(ctx, http.MethodGet, "/bridges", &bridges)
	return bridges, err
}

// Talks counts the conversations: bridges with two channels in them.
func (l *Lab) Talks(ctx context.Context) (int, error) {
	bridges, err := l.bridges(ctx)
	if err != nil {
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

// AwaitFewerTalks waits until fewer conversations go on.
func (l *Lab) AwaitFewerTalks(ctx context.Context, than int) error {
	return l.await(ctx, fmt.Sprintf("%d conversations go on", than), func() (bool, error) {
		talks, err := l.Talks(ctx)
		return talks < than, err
	})
}

// AwaitTogether waits until the endpoints, named as their phones are, can talk
// with each other.
func (l *Lab) AwaitTogether(ctx context.Context, endpoints ...string) error {
	return l.await(ctx, fmt.Sprintf("%v are not in one conversation", endpoints), func() (bool, error) {
		names, err := l.channelNames(ctx)
		if err != nil {
			return false, err
		}
		bridges, err := l.bridges(ctx)
		if err != nil {
			return false, err
		}
		for _, bridge := range bridges {
			var here []string
			for _, id := range bridge.Channels {
				here = append(here, endpointOf(names[id]))
			}
			missing := func(endpoint string) bool { return !slices.Contains(here, endpoint) }
			if !slices.ContainsFunc(endpoints, missing) {
				return true, nil
			}
		}
		return false, nil
	})
}

// AwaitConversation waits until exactly that many channels are in one conversation.
func (l *Lab) AwaitConversation(ctx context.Context, people int) error {
	return l.await(ctx, fmt.Sprintf("no conversation of %d", people), func() (bool, error) {
		bridges, err := l.bridges(ctx)
		return slices.ContainsFunc(bridges, func(b bridge) bool {
			return b.Type == "mixing" && len(b.Channels) == people
		}), err
	})
}

// AwaitParked waits until exactly that many channels wait in parking lots.
func (l *Lab) AwaitParked(ctx context.Context, count int) error {
	return l.await(ctx, fmt.Sprintf("not %d parked channels", count), func() (bool, error) {
		bridges, err := l.bridges(ctx)
		parked := 0
		for _, bridge := range bridges {
			if bridge.Type == "holding" {
				parked += len(bridge.Channels)
			}
		}
		return parked == count, err
	})
}

// channelNames are the names of all channels, by their ids.
func (l *Lab) channelNames(ctx context.Context) (map[string]string, error) {
	channels, err := l.channels(ctx)
	names := make(map[string]string, len(channels))
	for _, channel := range channels {
		names[channel.ID] = channel.Name
	}
	return names, err
}

// endpointOf is the phone or trunk that a channel belongs to: 101 of
// PJSIP/101-0000001a.
func endpointOf(channel string) string {
	name := strings.TrimPrefix(channel, "PJSIP/")
	return name[:max(0, strings.LastIndexByte(name, '-'))]
}
