package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kontur-ari/ari"
	"kontur-ari/bridge"
)

// heardText is an event with whom it was heard from.
func heardText(event bridge.Event) string {
	if event.ClickToCall != nil {
		return orderText(event)
	}
	if event.Hangup != nil {
		return fmt.Sprintf("CRM       HANGUP for user %s: leg %s", event.Hangup.User, event.Hangup.Leg)
	}
	return "Asterisk  " + eventText(event)
}

// orderText is what the CRM has ordered, or what became of it.
func orderText(event bridge.Event) string {
	click, news := event.ClickToCall.ClickToCall, event.ClickToCall
	to := click.Number
	if click.To != "" {
		to += " (user " + click.To + ")"
	}
	switch {
	case event.Type == bridge.EventClickToCall:
		return fmt.Sprintf("CRM       CALL for user %s: %s, communication %s", click.From, to, click.CommunicationID)
	case news.Result == bridge.ClickPlaced:
		return fmt.Sprintf("  switch   rings telephones: %d", len(news.Rung))
	}
	return fmt.Sprintf("  switch   not told to ring, %s: %s: %s", news.Result, news.Status, news.Message)
}

// actionText is what the switch is told.
func actionText(action bridge.Action) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", action.Kind, action.Channel, action.Number))
}

// eventText is an event in a line for a person.
func eventText(event bridge.Event) string {
	parts := []string{string(event.Type)}
	if event.Caller != nil {
		parts = append(parts, event.Caller.Name, "->")
	}
	if event.Peer != nil {
		parts = append(parts, event.Peer.Name, event.DialString, event.DialStatus)
	}
	if ch := event.Channel; ch != nil {
		parts = append(parts, ch.Name, string(ch.State))
		if event.Type == bridge.EventChannelCreated {
			parts = append(parts, ch.CallerNumber, "->", ch.Exten)
		}
	}
	if event.Bridge != nil {
		parts = append(parts, "bridge", event.Bridge.ID)
	}
	if transfer := event.Transfer; transfer != nil {
		parts = append(parts, transferText(*transfer))
	}
	if event.Type == bridge.EventChannelDestroyed {
		parts = append(parts, fmt.Sprintf("cause %d", event.Cause))
	}
	if recording := event.Recording; recording != nil {
		parts = append(parts, recording.Name+"."+recording.Format, "of", string(recording.Channel)+recording.Bridge)
	}
	if event.Snapshot != nil {
		parts = append(parts, fmt.Sprintf("%d channels, %d bridges", len(event.Snapshot.Channels), len(event.Snapshot.Bridges)))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

// transferText names who is sent where.
func transferText(transfer bridge.Transfer) string {
	text := fmt.Sprintf("of %s by %s", transfer.Transferee, transfer.Transferer)
	switch {
	case transfer.Target != "":
		text += fmt.Sprintf(" to %s", transfer.Target)
	case transfer.Exten != "":
		text += fmt.Sprintf(" to %s@%s", transfer.Exten, transfer.Context)
	}
	if !transfer.Succeeded {
		text += ", refused"
	}
	return text
}

// presence follows which channels are there, so that what a snapshot does not
// show any more can be told: nobody has said that these ended.
type presence struct {
	// mine chooses the channels of a snapshot that matter.
	mine func(bridge.Channel) bool
	// names are those of the channels that are there; over are those that were.
	names map[bridge.ChannelID]string
	over  map[bridge.ChannelID]bool
}

func newPresence(mine func(bridge.Channel) bool) *presence {
	return &presence{mine: mine, names: make(map[bridge.ChannelID]string), over: make(map[bridge.ChannelID]bool)}
}

// follow takes the next event and returns what a snapshot found gone, in words;
// "" for nothing. Events of other calls must not be given, but for snapshots.
func (p *presence) follow(event bridge.Event) string {
	if event.Snapshot != nil {
		return p.compare(event)
	}
	for _, ch := range []*bridge.Channel{event.Channel, event.Caller, event.Peer} {
		// What Asterisk sends late does not bring a channel back.
		if ch != nil && !p.over[ch.ID] {
			p.names[ch.ID] = ch.Name
		}
	}
	if event.Type == bridge.EventChannelDestroyed && event.Channel != nil {
		p.leave(event.Channel.ID)
	}
	return ""
}

func (p *presence) leave(id bridge.ChannelID) {
	delete(p.names, id)
	p.over[id] = true
}

func (p *presence) compare(event bridge.Event) string {
	shown := make(map[bridge.ChannelID]bool)
	for _, ch := range event.Snapshot.Channels {
		shown[ch.ID] = true
		if p.mine(ch) {
			p.names[ch.ID] = ch.Name
		}
	}
	var gone []string
	for id, name := range p.names {
		if !shown[id] {
			gone = append(gone, name)
			p.leave(id)
		}
	}
	if len(gone) == 0 {
		return ""
	}
	slices.Sort(gone)
	return strings.Join(gone, ", ") + " found gone " + gapText(event)
}

// gapText says for how long nobody had listened before a snapshot.
func gapText(event bridge.Event) string {
	since := event.Snapshot.MissedSince
	if since.IsZero() {
		return "after a time of unknown length in which Asterisk was not heard"
	}
	gap := max(event.Time.Sub(since), 0)
	if gap = gap.Round(time.Millisecond); gap >= time.Second {
		gap = gap.Round(time.Second)
	}
	return fmt.Sprintf("after Asterisk was not heard for %s", gap)
}

// reportText is a report in a line for a person.
func reportText(r bridge.Report) string {
	text := string(r.Kind)
	switch r.Kind {
	case bridge.ReportStarted:
		text += " " + string(r.Direction)
		if r.ClientPhone != "" {
			text += ", client " + r.ClientPhone
		}
		if r.VatsPhone != "" {
			text += ", number " + r.VatsPhone
		}
	case bridge.ReportEvent:
		text += fmt.Sprintf(" %s, leg %s, %s -> %s", r.Event, r.Leg, partyText(r.From), partyText(r.To))
	case bridge.ReportRecording:
		text += fmt.Sprintf(" leg %s, file %s", r.Leg, r.FileID)
	case bridge.ReportRegister:
		for i, item := range r.Items {
			answered := "not answered"
			if !item.StartedAt.IsZero() {
				answered = "answered " + item.StartedAt.Local().Format(rungTime)
			}
			text += fmt.Sprintf("%s leg %s, %s -> %s, %s, over %s", []string{",", ";"}[min(i, 1)],
				item.ID, partyText(&item.From), partyText(&item.To), answered, item.FinishedAt.Local().Format(rungTime))
		}
	}
	return text
}

func partyText(p *bridge.Party) string {
	if p == nil {
		return "nobody"
	}
	return strings.TrimSpace(string(p.Type) + " " + p.UserID)
}

// decode is ari.Decode for an event that was received at a moment, which takes
// the place of a time that can't be read, as the daemon does it.
func decode(raw []byte, received time.Time) (bridge.Event, error) {
	event, err := ari.Decode(raw)
	if err == nil && event.Time.IsZero() {
		event.Time = received
	}
	return event, err
}
