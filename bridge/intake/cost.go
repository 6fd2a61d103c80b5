package intake

import (
	"reflect"

	"kontur-ari/bridge"
)

// What an event takes beside its texts: its place in the queue, which has room to grow,
// and the structs that hang on it.
var (
	placeSize   = 2 * sizeOf[received]()
	channelSize = sizeOf[bridge.Channel]()
	bridgeSize  = sizeOf[bridge.Bridge]()
)

func sizeOf[T any]() int64 { return int64(reflect.TypeFor[T]().Size()) }

// textSize is what a text takes: each is allocated by itself, in steps of 8 or 16.
func textSize(text string) int64 {
	if text == "" {
		return 0
	}
	return int64(len(text)+15) &^ 7
}

// cost is an estimate of the memory that an event takes until it is stored.
func cost(event *bridge.Event) int64 {
	size := placeSize + int64(cap(event.Raw)) + textSize(string(event.Type)) + textSize(event.DialStatus) + textSize(event.DialString)
	for _, channel := range []*bridge.Channel{event.Channel, event.Caller, event.Peer} {
		if channel != nil {
			size += costOfChannel(channel)
		}
	}
	if event.Bridge != nil {
		size += costOfBridge(event.Bridge)
	}
	if event.Snapshot != nil {
		for i := range event.Snapshot.Channels {
			size += costOfChannel(&event.Snapshot.Channels[i])
		}
		for i := range event.Snapshot.Bridges {
			size += costOfBridge(&event.Snapshot.Bridges[i])
		}
	}
	if event.Transfer != nil || event.ClickToCall != nil || event.Hangup != nil {
		// A handful of texts, which Raw holds too.
		size += channelSize + int64(len(event.Raw))
	}
	return size
}

func costOfChannel(c *bridge.Channel) int64 {
	size := channelSize
	for _, text := range []string{
		string(c.ID), c.Name, string(c.State), c.CallerNumber, c.Exten, c.Application, string(c.LinkedID), c.DialledNumber,
	} {
		size += textSize(text)
	}
	return size
}

func costOfBridge(r *bridge.Bridge) int64 {
	size := bridgeSize + textSize(r.ID)
	for _, id := range r.Channels {
		size += textSize(string(id)) + sizeOf[bridge.ChannelID]()
	}
	return size
}
