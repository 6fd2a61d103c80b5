package ari

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kontur-ari/bridge"
)

// The fields of every event type, on events in the shape that Asterisk 22 sends.
func TestDecode(t *testing.T) {
	const head = `"timestamp":"2026-11-23T11:19:02.365+0000","application":"kontur-ari","asterisk_id":"x"`
	const channelJSON = `{"id":"1.1","name":"PJSIP/trunk-00000000","state":"Ring","protocol_id":"",` +
		`"caller":{"name":"Иван","number":"+7(999)777-55-33"},"connected":{"name":"","number":"101"},"accountcode":"",` +
		`"dialplan":{"context":"inbound","exten":"74951112233","priority":1,"app_name":"Dial","app_data":"x"},` +
		`"creationtime":"2026-11-23T11:19:02.365+0000","language":"en","channelvars":{"CHANNEL(linkedid)":"1.0"}}`
	channel := &bridge.Channel{
		ID: "1.1", Name: "PJSIP/trunk-00000000", State: bridge.StateRing, CallerNumber: "+7(999)777-55-33",
		Exten: "74951112233", Application: "Dial", LinkedID: "1.0",
	}
	at := time.Date(2026, 11, 23, 11, 19, 2, 365e6, time.UTC)
	mixing := `{"id":"b1","technology":"simple_bridge","bridge_type":"mixing","channels":["1.1","1.2"]}`

	tests := map[string]struct {
		raw  string
		want bridge.Event
	}{
		"created": {
			`{"type":"ChannelCreated",` + head + `,"channel":` + channelJSON + `}`,
			bridge.Event{Type: bridge.EventChannelCreated, Time: at, Channel: channel},
		},
		"destroyed": {
			`{"type":"ChannelDestroyed",` + head + `,"cause":127,"cause_txt":"Interworking","channel":` + channelJSON + `}`,
			bridge.Event{Type: bridge.EventChannelDestroyed, Time: at, Channel: channel, Cause: 127},
		},
		"dial without caller": {
			`{"type":"Dial",` + head + `,"dialstatus":"","forward":"","dialstring":"7999@trunk","peer":` + channelJSON + `}`,
			bridge.Event{Type: bridge.EventDial, Time: at, Peer: channel, DialString: "7999@trunk"},
		},
		"dial answered": {
			`{"type":"Dial",` + head + `,"dialstatus":"ANSWER","dialstring":"","caller":{"id":"1.0"},"peer":{"id":"1.1"}}`,
			bridge.Event{Type: bridge.EventDial, Time: at, Caller: &bridge.Channel{ID: "1.0"},
				Peer: &bridge.Channel{ID: "1.1"}, DialStatus: "ANSWER"},
		},
		"entered": {
			`{"type":"ChannelEnteredBridge",` + head + `,"bridge":` + mixing + `,"channel":` + channelJSON + `}`,
			bridge.Event{Type: bridge.EventBridgeEntered, Time: at, Channel: channel,
				Bridge: &bridge.Bridge{ID: "b1", Channels: []bridge.ChannelID{"1.1", "1.2"}}},
		},
		"left a holding bridge": {
			`{"type":"ChannelLeftBridge",` + head + `,"bridge":{"id":"b2","technology":"holding_bridge","bridge_type":"holding","channels":[]},"channel":{"id":"1.1"}}`,
			bridge.Event{Type: bridge.EventBridgeLeft, Time: at, Channel: &bridge.Channel{ID: "1.1"},
				Bridge: &bridge.Bridge{ID: "b2", Holding: true}},
		},
		"blind transfer": {
			`{"type":"BridgeBlindTransfer",` + head + `,"channel":{"id":"1.2"},"transferee":{"id":"1.1"},"exten":"102",` +
				`"context":"internal","result":"Success","is_external":true,"bridge":` + mixing + `}`,
			bridge.Event{Type: bridge.EventBlindTransfer, Time: at, Channel: &bridge.Channel{ID: "1.2"},
				Transfer: &bridge.Transfer{Transferer: "1.2", Transferee: "1.1", Exten: "102", Context: "internal", Succeeded: true}},
		},
		"attended transfer refused": {
			`{"type":"BridgeAttendedTransfer",` + head + `,"transferer_first_leg":{"id":"1.2"},"transferer_second_leg":{"id":"1.3"},` +
				`"transferee":{"id":"1.1"},"transfer_target":{"id":"1.4"},"result":"Not Permitted","destination_type":"bridge"}`,
			bridge.Event{Type: bridge.EventAttendedTransfer, Time: at, Transfer: &bridge.Transfer{
				Transferer: "1.2", SecondLeg: "1.3", Transferee: "1.1", Target: "1.4"}},
		},
		"snapshot": {
			`{"type":"KonturAriSnapshot",` + head + `,"channels":[` + channelJSON + `,{"id":"1.2","linkedid":"1.0","dnid":"7495"},{}],"bridges":[` + mixing + `]}`,
			bridge.Event{Type: bridge.EventSnapshot, Time: at, Snapshot: &bridge.Snapshot{
				Channels: []bridge.Channel{*channel, {ID: "1.2", LinkedID: "1.0", DialledNumber: "7495"}},
				Bridges:  []bridge.Bridge{{ID: "b1", Channels: []bridge.ChannelID{"1.1", "1.2"}}}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Decode([]byte(test.raw))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(bridge.Event{}, "Raw")); diff != "" {
				t.Error(diff)
			}
			if string(got.Raw) != test.raw {
				t.Errorf("Raw = %s", got.Raw)
			}
		})
	}
}

// Asterisk shows a variable that is asked for and not set as "".
func TestVariablesNameTheRecordingsOfAChannel(t *testing.T) {
	const (
		mixed  = "/var/spool/asterisk/monitor/2026/11/23/a.wav"
		record = "external-101-79997775533-20261123-111902-1795401475.25.wav"
		said   = "/var/spool/asterisk/recording/said"
		left   = "/var/spool/asterisk/voicemail/default/101/INBOX/msg0000"
	)
	for name, test := range map[string]struct {
		vars            string
		files, messages []string
	}{
		"none are asked for":           {``, nil, nil},
		"none are shown":               {`,"channelvars":{}`, nil, nil},
		"others alone":                 {`,"channelvars":{"CHANNEL(linkedid)":"1.0","RECORDING":"x"}`, nil, nil},
		"all are empty":                {`,"channelvars":{"MIXMONITOR_FILENAME":"","CDR(recordingfile)":"","RECORDED_FILE":"","VM_MESSAGEFILE":""}`, nil, nil},
		"MixMonitor records":           {`,"channelvars":{"MIXMONITOR_FILENAME":"` + mixed + `","CDR(recordingfile)":""}`, []string{mixed}, nil},
		"the dialplan says a name":     {`,"channelvars":{"MIXMONITOR_FILENAME":"","CDR(recordingfile)":"` + record + `"}`, []string{record}, nil},
		"both":                         {`,"channelvars":{"CDR(recordingfile)":"` + record + `","MIXMONITOR_FILENAME":"` + mixed + `"}`, []string{mixed, record}, nil},
		"Record has recorded":          {`,"channelvars":{"RECORDED_FILE":"` + said + `","VM_MESSAGEFILE":""}`, nil, []string{said}},
		"a message was left":           {`,"channelvars":{"RECORDED_FILE":"","VM_MESSAGEFILE":"` + left + `"}`, nil, []string{left}},
		"all of them":                  {`,"channelvars":{"MIXMONITOR_FILENAME":"` + mixed + `","CDR(recordingfile)":"` + record + `","RECORDED_FILE":"` + said + `","VM_MESSAGEFILE":"` + left + `"}`, []string{mixed, record}, []string{said, left}},
		"a name in another alphabet":   {`,"channelvars":{"MIXMONITOR_FILENAME":"Иван \"1\".wav"}`, []string{`Иван "1".wav`}, nil},
		"a variable of a wrong type":   {`,"channelvars":{"MIXMONITOR_FILENAME":7,"RECORDED_FILE":"` + said + `"}`, nil, []string{said}},
		"variables that are no object": {`,"channelvars":["MIXMONITOR_FILENAME"]`, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			channel := `{"id":"1.1"` + test.vars + `}`
			var seen []bridge.Channel
			for _, raw := range []string{
				`{"type":"ChannelDestroyed","channel":` + channel + `}`,
				`{"type":"Dial","caller":{"id":"1.0"},"peer":` + channel + `}`,
				`{"type":"KonturAriSnapshot","channels":[` + channel + `],"bridges":[]}`,
			} {
				event, err := Decode([]byte(raw))
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case event.Snapshot != nil:
					seen = append(seen, event.Snapshot.Channels...)
				case event.Peer != nil:
					seen = append(seen, *event.Peer)
				default:
					seen = append(seen, *event.Channel)
				}
			}
			for _, got := range seen {
				if diff := cmp.Diff(test.files, got.Files); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.messages, got.Messages); diff != "" {
					t.Errorf("messages (-want +got):\n%s", diff)
				}
			}
			if len(seen) != 3 {
				t.Errorf("%d channels were seen, want 3", len(seen))
			}
		})
	}
}

// One field that can't be read must not cost the event.
func TestDecodeIsTolerant(t *testing.T) {
	base := time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		raw   string
		time  time.Time
		cause int
		id    bridge.ChannelID
	}{
		"cause as a string":      {`{"timestamp":"2026-11-23T11:00:00.000+0000","cause":"16","channel":{"id":"1"}}`, base, 16, "1"},
		"cause as an object":     {`{"timestamp":"2026-11-23T11:00:00.000+0000","cause":{},"channel":{"id":"1"}}`, base, 0, "1"},
		"RFC 3339, another zone": {`{"timestamp":"2026-11-23T14:00:00+03:00","channel":{"id":"1"}}`, base, 0, "1"},
		"time that is none":      {`{"timestamp":"yesterday","cause":17,"channel":{"id":"1"}}`, time.Time{}, 17, "1"},
		"time as a number":       {`{"timestamp":1795401475,"cause":17,"channel":{"id":"1"}}`, time.Time{}, 17, "1"},
		"channel field of a wrong type": {`{"timestamp":"2026-11-23T11:00:00.000+0000","cause":17,` +
			`"channel":{"name":7,"caller":"x","dialplan":[],"channelvars":null,"id":"1"}}`, base, 17, "1"},
		"channel without an id": {`{"timestamp":"2026-11-23T11:00:00.000+0000","cause":17,"channel":{"name":"x"}}`, base, 17, ""},
		"channel that is none":  {`{"timestamp":"2026-11-23T11:00:00.000+0000","cause":17,"channel":"x"}`, base, 17, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			raw := `{"type":"ChannelDestroyed",` + test.raw[1:]
			got, err := Decode([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			var id bridge.ChannelID
			if got.Channel != nil {
				id = got.Channel.ID
			}
			if !got.Time.Equal(test.time) || got.Cause != test.cause || id != test.id {
				t.Errorf("got time %v cause %d channel %q", got.Time, got.Cause, id)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, raw := range []string{"", "null", "[]", "7", `"x"`, "{}", `{"type":""}`, `{"type":7}`, `{"type":"Dial"`, "\x00", `{"type":"Dial"} x`} {
		_, err := Decode([]byte(raw))
		if err == nil {
			t.Errorf("%q: no error", raw)
		}
		if unknown, ok := errors.AsType[*UnknownTypeError](err); ok {
			t.Errorf("%q: malformed, but counted as unknown type %q", raw, unknown.Type)
		}
	}
	_, err := Decode([]byte(`{"type":"ChannelVarset","variable":"x"}`))
	if unknown, ok := errors.AsType[*UnknownTypeError](err); !ok || unknown.Type != "ChannelVarset" {
		t.Errorf("unknown type: %v", err)
	}
}

// Events of ours come back from the journal as they were made.
func TestEventsOfOursAreDecoded(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, int(5*time.Millisecond), time.UTC)
	click := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: "c1", From: "u101", To: "u102", Number: "102"}
	for _, want := range []bridge.Event{
		bridge.NewClickToCallEvent(click, 0, at), bridge.NewClickPlacedEvent(click, []bridge.ChannelID{click.Channel(1), click.Channel(2)}, at),
		bridge.NewClickRefusedEvent(click, &bridge.Refusal{Status: bridge.RefusedOffline, Message: "offline"}, true, at),
		bridge.NewHangupEvent(bridge.HangupNews{Call: "1.1", Leg: "1.2", User: "u101"}, at),
	} {
		got, err := Decode(want.Raw)
		if err != nil {
			t.Errorf("%s: %v", want.Raw, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-made +decoded):\n%s", diff)
		}
	}
}

// A dial plan may send a channel to Stasis with a text that the caller has chosen.
func TestOnlyAChannelMadeForAClickWaitsForItsDial(t *testing.T) {
	for application, want := range map[string]bool{
		`"app_name":"Stasis","app_data":"kontur-ari,ordered"`:            true,
		`"app_name":"Stasis","app_data":"kontur-ari,redirect"`:           false,
		`"app_name":"Stasis","app_data":"kontur-ari,redirect,x,ordered"`: false,
		`"app_name":"Stasis","app_data":"kontur-ari,redirect,ordered"`:   false,
		`"app_name":"Stasis","app_data":"kontur-ari,ordered,ordered"`:    false,
		`"app_name":"Stasis","app_data":"ordered"`:                       false,
		`"app_name":"Dial","app_data":"PJSIP/101,ordered"`:               false,
		`"app_name":"AppDial2","app_data":"(Outgoing Line)"`:             false,
	} {
		event, err := Decode([]byte(`{"type":"ChannelCreated","channel":{"id":"1.1","dialplan":{` + application + `}}}`))
		if err != nil {
			t.Fatal(err)
		}
		if event.Channel.WaitsForDial != want {
			t.Errorf("%s: waits %t", application, event.Channel.WaitsForDial)
		}
	}
}
