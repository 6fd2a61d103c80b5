package casebook

import (
	"fmt"
	"slices"
	"strings"

	"kontur-ari/bridge"
)

// timeLayout is how the time at the beginning of a line is written.
const timeLayout = "15:04:05.000"

// sourceText is an event in a line, behind the party it came from.
func sourceText(event bridge.Event) string {
	if event.ClickToCall != nil {
		return clickToCallText(event)
	}
	if event.Hangup != nil {
		return fmt.Sprintf("CRM       HANGUP for user %s: leg %s", event.Hangup.User, event.Hangup.Leg)
	}
	return "Asterisk  " + eventText(event)
}

// clickToCallText is a click-to-call, or its result.
func clickToCallText(event bridge.Event) string {
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

// actionText is an action that the daemon asks of Asterisk.
func actionText(action bridge.Action) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", action.Kind, action.Channel, action.Number))
}

// eventText is an event of Asterisk in a line.
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

// transferText names the parties of a transfer, and whether Asterisk refused it.
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

// reportText is a report in a line.
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
				answered = "answered " + item.StartedAt.Local().Format(timeLayout)
			}
			text += fmt.Sprintf("%s leg %s, %s -> %s, %s, over %s", []string{",", ";"}[min(i, 1)],
				item.ID, partyText(&item.From), partyText(&item.To), answered, item.FinishedAt.Local().Format(timeLayout))
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

// OneLine joins a text of several lines to one of at most 160 characters, so that
// a foreign answer can't break the line it is shown in.
func OneLine(text string) string {
	const longest = 160
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "..."
	}
	return text
}
