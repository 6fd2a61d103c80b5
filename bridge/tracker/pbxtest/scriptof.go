package pbxtest

import (
	"fmt"
	"strings"

	"kontur-ari/bridge"
)

// ScriptOf returns events as a script, as far as the language allows. It turns what a property
// test has found into a scenario. A snapshot gets a comment with its content.
func ScriptOf(events []bridge.Event) string {
	var script strings.Builder
	for _, event := range events {
		line := sentence(event)
		if line != "" {
			fmt.Fprintf(&script, "\n%s %s", Seconds(event.Time, Midnight), line)
		}
	}
	return script.String()
}

func sentence(event bridge.Event) string {
	switch event.Type {
	case bridge.EventChannelCreated:
		ch := event.Channel
		name := ch.Name
		if i := strings.LastIndex(name, "-"); i > 0 && !strings.Contains(name, ";") {
			name = name[:i]
		}
		return fmt.Sprintf("new %s %s %s caller=%s exten=%s", short(ch.ID), name, ch.State, ch.CallerNumber, ch.Exten)
	case bridge.EventDial:
		pair := short(event.Subject())
		if event.Caller != nil {
			pair = short(event.Caller.ID) + ">" + pair
		}
		if event.DialStatus == "" {
			return fmt.Sprintf("dial %s %s", pair, event.DialString)
		}
		return fmt.Sprintf("dialstatus %s %s", pair, event.DialStatus)
	case bridge.EventBridgeEntered:
		holding := ""
		if event.Bridge.Holding {
			holding = " holding"
		}
		return fmt.Sprintf("enter %s %s%s", short(event.Channel.ID), short(bridge.ChannelID(event.Bridge.ID)), holding)
	case bridge.EventBridgeLeft:
		return fmt.Sprintf("leave %s %s", short(event.Channel.ID), short(bridge.ChannelID(event.Bridge.ID)))
	case bridge.EventBridgeDestroyed:
		return "close " + short(bridge.ChannelID(event.Bridge.ID))
	case bridge.EventBlindTransfer:
		return fmt.Sprintf("blind %s>%s %s", short(event.Transfer.Transferer), short(event.Transfer.Transferee), event.Transfer.Exten)
	case bridge.EventAttendedTransfer:
		to := event.Transfer
		return fmt.Sprintf("attended %s %s %s %s", short(to.Transferer), short(to.SecondLeg), short(to.Transferee), short(to.Target))
	case bridge.EventChannelHold:
		return "hold " + short(event.Channel.ID)
	case bridge.EventChannelUnhold:
		return "unhold " + short(event.Channel.ID)
	case bridge.EventChannelDestroyed:
		return fmt.Sprintf("gone %s %d", short(event.Channel.ID), event.Cause)
	case bridge.EventSnapshot:
		return "snapshot" + shown(event.Snapshot)
	}
	return ""
}

// shown returns a snapshot as a comment.
func shown(snapshot *bridge.Snapshot) string {
	var text strings.Builder
	text.WriteString(" #")
	for _, ch := range snapshot.Channels {
		fmt.Fprintf(&text, " %s(%s linked %s %s)", short(ch.ID), ch.Name, short(ch.LinkedID), ch.Application)
	}
	for _, br := range snapshot.Bridges {
		if len(br.Channels) > 0 {
			fmt.Fprintf(&text, " %s%v", short(bridge.ChannelID(br.ID)), br.Channels)
		}
	}
	return text.String()
}

// short returns an id without the prefix that all ids of an exchange share.
func short(id bridge.ChannelID) string {
	text := strings.ReplaceAll(string(id), "1795401475.", "")
	if text == "" {
		return "-"
	}
	return text
}
