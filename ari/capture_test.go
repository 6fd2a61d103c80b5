package ari

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/CyCoreSystems/ari/v6"
	next "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
)

// captured returns the events of testdata, as Asterisk 22.10.1 sent them.
func captured(tb testing.TB) [][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no captures: %v", err)
	}
	var events [][]byte
	for _, file := range files {
		lines, err := aritest.ReadEvents(file)
		if err != nil {
			tb.Fatal(err)
		}
		events = append(events, lines...)
	}
	return events
}

// Where the library's decoder and ours both speak, they must agree.
func TestDecodeAgreesWithLibrary(t *testing.T) {
	seen := map[string]int{}
	for _, raw := range captured(t) {
		ours, err := Decode(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		seen[string(ours.Type)]++
		if ours.Type == bridge.EventSnapshot {
			continue
		}
		theirs, err := ari.DecodeEvent(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(expected(t, theirs), comparable(ours)); diff != "" {
			t.Errorf("%s\n%s", raw, diff)
		}
	}
	for _, interpretedType := range interpreted {
		if seen[string(interpretedType)] == 0 {
			t.Errorf("no capture of %s", interpretedType)
		}
	}
}

// comparable drops what the library doesn't decode.
func comparable(event bridge.Event) bridge.Event {
	event.Raw = nil
	for _, channel := range []**bridge.Channel{&event.Channel, &event.Caller, &event.Peer} {
		if *channel != nil {
			bare := **channel
			bare.Application = ""
			*channel = &bare
		}
	}
	return event
}

// expected turns the library's event into ours.
func expected(t *testing.T, event ari.Event) bridge.Event {
	t.Helper()
	switch e := event.(type) {
	case *ari.ChannelCreated:
		return about(e.EventData, e.Channel)
	case *ari.ChannelStateChange:
		return about(e.EventData, e.Channel)
	case *ari.ChannelCallerID:
		return about(e.EventData, e.Channel)
	case *ari.ChannelHold:
		return about(e.EventData, e.Channel)
	case *ari.ChannelUnhold:
		return about(e.EventData, e.Channel)
	case *ari.ChannelDestroyed:
		want := about(e.EventData, e.Channel)
		want.Cause = e.Cause
		return want
	case *ari.Dial:
		want := about(e.EventData, ari.ChannelData{})
		want.Caller, want.Peer = channelOf(e.Caller), channelOf(e.Peer)
		want.DialStatus, want.DialString = e.Dialstatus, e.Dialstring
		return want
	case *ari.ChannelEnteredBridge:
		want := about(e.EventData, e.Channel)
		want.Bridge = bridgeOf(e.Bridge)
		return want
	case *ari.ChannelLeftBridge:
		want := about(e.EventData, e.Channel)
		want.Bridge = bridgeOf(e.Bridge)
		return want
	case *ari.BridgeDestroyed:
		want := about(e.EventData, ari.ChannelData{})
		want.Bridge = bridgeOf(e.Bridge)
		return want
	case *ari.BridgeBlindTransfer:
		want := about(e.EventData, e.Channel)
		want.Transfer = &bridge.Transfer{Transferer: bridge.ChannelID(e.Channel.ID),
			Transferee: bridge.ChannelID(e.Transferee.ID), Exten: e.Exten, Context: e.Context, Succeeded: e.Result == "Success"}
		return want
	case *ari.BridgeAttendedTransfer:
		want := about(e.EventData, ari.ChannelData{})
		want.Transfer = &bridge.Transfer{Transferer: bridge.ChannelID(e.TransfererFirstLeg.ID),
			SecondLeg: bridge.ChannelID(e.TransfererSecondLeg.ID), Transferee: bridge.ChannelID(e.Transferee.ID),
			Target: bridge.ChannelID(e.TransferTarget.ID), Succeeded: e.Result == "Success"}
		return want
	case *ari.RecordingFinished:
		want := about(e.EventData, ari.ChannelData{})
		channel, _ := strings.CutPrefix(e.Recording.TargetURI, "channel:")
		want.Recording = &bridge.FinishedRecording{
			StoredFile: bridge.StoredFile{Name: e.Recording.Name, Format: e.Recording.Format}, Channel: bridge.ChannelID(channel),
		}
		return want
	}
	t.Fatalf("no expectation for %T", event)
	return bridge.Event{}
}

func about(data ari.EventData, channel ari.ChannelData) bridge.Event {
	return bridge.Event{Type: bridge.EventType(data.Type), Time: time.Time(data.Timestamp).UTC(), Channel: channelOf(channel)}
}

func channelOf(data ari.ChannelData) *bridge.Channel {
	if data.ID == "" {
		return nil
	}
	channel := &bridge.Channel{ID: bridge.ChannelID(data.ID), Name: data.Name, State: bridge.ChannelState(data.State)}
	if data.Caller != nil {
		channel.CallerNumber = data.Caller.Number
	}
	if data.Dialplan != nil {
		channel.Exten = data.Dialplan.Exten
	}
	if linkedID := data.ChannelVars["CHANNEL(linkedid)"]; linkedID != "" {
		channel.LinkedID = bridge.ChannelID(linkedID)
	}
	return channel
}

func bridgeOf(data ari.BridgeData) *bridge.Bridge {
	br := &bridge.Bridge{ID: data.ID, Holding: data.Type == "holding"}
	for _, id := range data.ChannelIDs {
		br.Channels = append(br.Channels, bridge.ChannelID(id))
	}
	return br
}

// The types that the bridge names must be the names that the library knows.
func TestInterpretedTypesAreARIs(t *testing.T) {
	known := []string{ari.Events.ChannelCreated, ari.Events.ChannelStateChange, ari.Events.ChannelCallerID,
		ari.Events.ChannelHold, ari.Events.ChannelUnhold, ari.Events.ChannelDestroyed, ari.Events.Dial,
		ari.Events.ChannelEnteredBridge, ari.Events.ChannelLeftBridge,
		ari.Events.BridgeDestroyed, ari.Events.BridgeBlindTransfer, ari.Events.BridgeAttendedTransfer,
		ari.Events.RecordingFinished}
	for i, interpretedType := range interpreted {
		if string(interpretedType) != known[i] {
			t.Errorf("%s is ARI's %s", interpretedType, known[i])
		}
	}
}

// FuzzDecode: whatever arrives, there is no panic; an event that decodes has an
// interpreted type and keeps its raw form, from which the same event is decoded.
func FuzzDecode(f *testing.F) {
	for _, raw := range captured(f) {
		f.Add(raw)
	}
	f.Add([]byte(`{"type":"ChannelDestroyed","cause":"` + strconv.Itoa(1<<62) + `0"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		event, err := Decode(raw)
		if err != nil {
			return
		}
		if string(event.Raw) != string(raw) {
			t.Error("Raw differs from what was given")
		}
		again, err := Decode(event.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(event, again); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzTwoDecodersReadTheSame: what the fast decoder takes, it reads as encoding/json
// does.
func FuzzTwoDecodersReadTheSame(f *testing.F) {
	for _, raw := range captured(f) {
		f.Add(raw)
	}
	for _, raw := range []string{
		`{"TYPE":"Dial","dial_status":"ANSWER","DialStatus":"BUSY"}`, `{"type":"Dial","type":"x","peer":{"id":"1"},"peer":{"name":"2"}}`,
		`{"type":"Dial","dialstatus":null,"peer":null,"cause":null,"channels":null}`, `{"type":"\ud800\u0000","caller":{"id":"` + "\xff" + `"}}`,
		`{"type":"x","cause":1e400,"order":{},"hangup":{"call":"1"},"channels":[{},null],"bridges":[{"channels":["",null]}]}`,
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got, want wireEvent
		if next.Unmarshal(raw, &got, rules) != nil {
			return // encoding/json is asked
		}
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("encoding/json does not take %q: %v", raw, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-encoding/json +next):\n%s", raw, diff)
		}
	})
}

// BenchmarkDecode is why there is a decoder of our own beside the library's: per
// event, on real captures.
func BenchmarkDecode(b *testing.B) {
	var events [][]byte
	for _, raw := range captured(b) {
		if event, err := Decode(raw); err == nil && event.Type != bridge.EventSnapshot {
			events = append(events, raw)
		}
	}
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := Decode(events[i%len(events)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := ari.DecodeEvent(events[i%len(events)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
