package ari

import (
	"encoding/json"
	"strings"

	"kontur-ari/bridge"
)

// wireEvent is the union of the fields that Decode reads from any event. One struct
// for all types means one pass over the JSON.
type wireEvent struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	// MissedSince, Channels and Bridges belong to snapshots.
	MissedSince string `json:"missed_since"`

	Channel    *wireChannel    `json:"channel"`
	Cause      json.RawMessage `json:"cause"`
	Caller     *wireChannel    `json:"caller"`
	Peer       *wireChannel    `json:"peer"`
	DialStatus string          `json:"dialstatus"`
	DialString string          `json:"dialstring"`
	Bridge     *wireBridge     `json:"bridge"`

	Exten      string  `json:"exten"`
	Context    string  `json:"context"`
	Result     string  `json:"result"`
	FirstLeg   *wireID `json:"transferer_first_leg"`
	SecondLeg  *wireID `json:"transferer_second_leg"`
	Transferee *wireID `json:"transferee"`
	Target     *wireID `json:"transfer_target"`

	Recording *wireRecording `json:"recording"`

	Channels []wireChannel `json:"channels"`
	Bridges  []wireBridge  `json:"bridges"`

	// These belong to our own events about the CRM's commands; ARI doesn't have them.
	bridge.ClickToCallNews
	Hangup *bridge.HangupNews `json:"hangup"`
}

// wireID is a Channel object of which only the id matters.
type wireID struct {
	ID string `json:"id"`
}

func (w *wireID) channelID() bridge.ChannelID {
	if w == nil {
		return ""
	}
	return bridge.ChannelID(w.ID)
}

// wireParty is ARI's CallerID object.
type wireParty struct {
	Number string `json:"number"`
}

// wireChannel is ARI's Channel object. LinkedID and DNID are not ARI's: the
// snapshot adds them.
type wireChannel struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	State    string    `json:"state"`
	Caller   wireParty `json:"caller"`
	Dialplan struct {
		Exten   string `json:"exten"`
		AppName string `json:"app_name"`
		AppData string `json:"app_data"`
	} `json:"dialplan"`
	// Vars is there only if ari.conf asks for it in channelvars.
	Vars     wireVars `json:"channelvars"`
	LinkedID string   `json:"linkedid"`
	DNID     string   `json:"dnid"`
}

// wireVars are the channel variables that we read. Asterisk shows those that channelvars
// asks for, and an unset one as "".
type wireVars struct {
	LinkedID string `json:"CHANNEL(linkedid)"`
	// MixMonitor is set when that application begins to record (Asterisk 22,
	// app_mixmonitor), RecordingFile by dial plans such as FreePBX's.
	MixMonitor    *string `json:"MIXMONITOR_FILENAME"`
	RecordingFile string  `json:"CDR(recordingfile)"`
	// Recorded is the file that the application Record wrote, Voicemail the one of
	// VoiceMail: both without the extension.
	Recorded  string  `json:"RECORDED_FILE"`
	Voicemail *string `json:"VM_MESSAGEFILE"`
}

// namesShown reports whether channelvars asks for all variables that name a recording.
func (w *wireVars) namesShown() bool { return w.MixMonitor != nil && w.Voicemail != nil }

// textOf returns a variable's value, "" where it is not shown.
func textOf(shown *string) string {
	if shown == nil {
		return ""
	}
	return *shown
}

// notEmpty returns the texts that are not "".
func notEmpty(texts ...string) []string {
	var found []string
	for _, text := range texts {
		if text != "" {
			found = append(found, text)
		}
	}
	return found
}

// channel returns nil for a channel without an id.
func (w *wireChannel) channel() *bridge.Channel {
	if w == nil || w.ID == "" {
		return nil
	}
	linkedID := w.Vars.LinkedID
	if linkedID == "" {
		linkedID = w.LinkedID
	}
	return &bridge.Channel{
		ID:            bridge.ChannelID(w.ID),
		Name:          w.Name,
		State:         bridge.ChannelState(w.State),
		CallerNumber:  w.Caller.Number,
		Exten:         w.Dialplan.Exten,
		Application:   w.Dialplan.AppName,
		WaitsForDial:  w.waits(),
		LinkedID:      bridge.ChannelID(linkedID),
		DialledNumber: w.DNID,
		Files:         notEmpty(textOf(w.Vars.MixMonitor), w.Vars.RecordingFile),
		Messages:      notEmpty(w.Vars.Recorded, textOf(w.Vars.Voicemail)),
		NamesShown:    w.Vars.namesShown(),
	}
}

// waits reports whether the channel is in Stasis with the one argument of our own
// phones' channels. It compares all arguments: a dial plan may pass on what the caller
// chose, such as a name that ends in ",ordered".
func (w *wireChannel) waits() bool {
	_, arguments, _ := strings.Cut(w.Dialplan.AppData, ",")
	return w.Dialplan.AppName == stasisApplication && arguments == clickToCallArgument
}

// dialled reports whether Asterisk created the channel to call a phone or trunk: its
// application is AppDial, AppDial2 (originate) or AppQueue then.
func (w *wireChannel) dialled() bool {
	return strings.HasPrefix(w.Dialplan.AppName, "AppDial") || w.Dialplan.AppName == "AppQueue"
}

// wireBridge is ARI's Bridge object.
type wireBridge struct {
	ID         string   `json:"id"`
	Technology string   `json:"technology"`
	Type       string   `json:"bridge_type"`
	Channels   []string `json:"channels"`
}

// bridge returns nil for a bridge without an id.
func (w *wireBridge) bridge() *bridge.Bridge {
	if w == nil || w.ID == "" {
		return nil
	}
	br := &bridge.Bridge{
		ID:      w.ID,
		Holding: w.Type == "holding" || w.Technology == "holding_bridge",
	}
	for _, id := range w.Channels {
		if id != "" {
			br.Channels = append(br.Channels, bridge.ChannelID(id))
		}
	}
	return br
}

// wireRecording is ARI's LiveRecording object. Its target is "channel:ID" or "bridge:ID".
type wireRecording struct {
	Name   string `json:"name"`
	Format string `json:"format"`
	Target string `json:"target_uri"`
}

// finished returns nil for a recording without a name.
func (w *wireRecording) finished() *bridge.FinishedRecording {
	if w == nil || w.Name == "" {
		return nil
	}
	finished := &bridge.FinishedRecording{StoredFile: bridge.StoredFile{Name: w.Name, Format: w.Format}}
	if channel, is := strings.CutPrefix(w.Target, "channel:"); is {
		finished.Channel = bridge.ChannelID(channel)
	} else if id, is := strings.CutPrefix(w.Target, "bridge:"); is {
		finished.Bridge = id
	}
	return finished
}

func (wire *wireEvent) blindTransfer() *bridge.Transfer {
	transfer := &bridge.Transfer{
		Transferee: wire.Transferee.channelID(),
		Exten:      wire.Exten,
		Context:    wire.Context,
		Succeeded:  succeeded(wire.Result),
	}
	if wire.Channel != nil {
		transfer.Transferer = bridge.ChannelID(wire.Channel.ID)
	}
	return transfer
}

func (wire *wireEvent) attendedTransfer() *bridge.Transfer {
	return &bridge.Transfer{
		Transferer: wire.FirstLeg.channelID(),
		SecondLeg:  wire.SecondLeg.channelID(),
		Transferee: wire.Transferee.channelID(),
		Target:     wire.Target.channelID(),
		Succeeded:  succeeded(wire.Result),
	}
}

func (wire *wireEvent) snapshot() *bridge.Snapshot {
	snapshot := &bridge.Snapshot{MissedSince: parseTime(wire.MissedSince)}
	for i := range wire.Channels {
		if channel := wire.Channels[i].channel(); channel != nil {
			snapshot.Channels = append(snapshot.Channels, *channel)
		}
	}
	for i := range wire.Bridges {
		if br := wire.Bridges[i].bridge(); br != nil {
			snapshot.Bridges = append(snapshot.Bridges, *br)
		}
	}
	return snapshot
}
