package tracker_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"kontur-ari/bridge"
)

// A script is what happens in a switch, a line each:
//
//	SECONDS WORD ARGUMENTS
//
//	new A PJSIP/trunk Ring caller=+79997775533 exten=79229929292
//	state A Up             callerid A 79229929292
//	dial A>B 101           >B: an originate; the rest is the dial string
//	dialstatus A>B RINGING
//	enter A br1 [holding]  leave A br1    close br1    merge br1>br2
//	hold A                 unhold A
//	blind B>A 102          B has sent A to 102: the event alone
//	attended B C A D       B, whose second channel is C, has joined A and D: the event alone; - for none
//	gone A 16              kill: the switch dies
//	order O u101 79997775533 [u102]    the CRM orders a call; its phones are O.1, O.2
//	settled O placed 1                 so many phones; or refused, failed, with a status
//	app A Stasis [other]   what the channel runs; other: an application of somebody else
//	linked A X             the linkedid of a channel, from now on
//	snapshot               what is asked for after a connect
//
// A line that begins with ~ happens while nobody listens. One that begins with !
// is an event that comes late: it changes nothing in the switch.
func play(t testing.TB, script string) []bridge.Event {
	t.Helper()
	x := newExchange()
	for line := range strings.Lines(script) {
		if line, _, _ = strings.Cut(strings.TrimSpace(line), "#"); line == "" {
			continue
		}
		if err := x.obey(line); err != nil {
			t.Fatalf("script line %q: %v", line, err)
		}
	}
	return x.events
}

func (x *exchange) obey(line string) error {
	line, x.silent = strings.CutPrefix(line, "~")
	line, late := strings.CutPrefix(line, "!")
	words := strings.Fields(line)
	seconds, err := strconv.ParseFloat(words[0], 64)
	if err != nil || len(words) < 2 {
		return fmt.Errorf("want a time in seconds and a word")
	}
	x.now = midnight.Add(time.Duration(seconds*1000+0.5) * time.Millisecond)
	if late {
		ghost := newExchange()
		ghost.now = x.now
		if words[1] != "new" {
			for _, id := range strings.FieldsFunc(words[2], func(r rune) bool { return r == '>' }) {
				ghost.channels[bridge.ChannelID(id)] = &bridge.Channel{ID: bridge.ChannelID(id), Name: "PJSIP/late-00000001"}
			}
		}
		if words[1] == "leave" {
			ghost.rooms[words[3]] = &bridge.Bridge{ID: words[3]}
		}
		err := ghost.do(words[1], words[2:])
		x.events = append(x.events, ghost.events...)
		return err
	}
	return x.do(words[1], words[2:])
}

func (x *exchange) do(word string, args []string) error {
	for len(args) < 4 {
		args = append(args, "")
	}
	id := bridge.ChannelID(args[0])
	from, to, _ := strings.Cut(args[0], ">")
	caller, peer := bridge.ChannelID(from), bridge.ChannelID(to)
	switch word {
	case "new":
		named := make(map[string]string)
		for _, arg := range args[3:] {
			key, value, _ := strings.Cut(arg, "=")
			named[key] = value
		}
		x.create(id, args[1], bridge.ChannelState(args[2]), named["caller"], named["exten"])
	case "state":
		x.state(id, bridge.ChannelState(args[1]))
	case "callerid":
		x.callerID(id, args[1])
	case "dial":
		x.dial(caller, peer, args[1])
	case "dialstatus":
		x.dialStatus(caller, peer, args[1])
	case "enter":
		x.enter(id, args[1], args[2] == "holding")
	case "leave":
		x.leave(id, args[1])
	case "close":
		x.closeRoom(args[0])
	case "merge":
		x.merge(from, to)
	case "hold":
		x.about(bridge.EventChannelHold, id)
	case "unhold":
		x.about(bridge.EventChannelUnhold, id)
	case "app":
		x.channels[id].Application = args[1]
		x.channels[id].Waits = args[1] == "Stasis" && args[2] == ""
	case "blind":
		x.blindTransfer(caller, peer, args[1])
	case "attended":
		for i := range args {
			args[i] = strings.TrimPrefix(args[i], "-")
		}
		x.attendedTransfer(bridge.ChannelID(args[0]), bridge.ChannelID(args[1]), bridge.ChannelID(args[2]), bridge.ChannelID(args[3]))
	case "gone":
		cause, _ := strconv.Atoi(args[1])
		x.destroy(id, cause)
	case "linked":
		x.channels[id].LinkedID = bridge.ChannelID(args[1])
	case "kill":
		x.kill()
	case "order":
		x.order(args[0], args[1], args[2], args[3])
	case "settled":
		x.settle(args[0], bridge.ClickToCallResult(args[1]), args[2])
	case "snapshot":
		x.events = append(x.events, x.snapshot())
	default:
		return fmt.Errorf("unknown word %q", word)
	}
	return nil
}

// unheard makes everything in a script happen while nobody listens.
func unheard(script string) string {
	var silent strings.Builder
	for line := range strings.Lines(script) {
		if line = strings.TrimSpace(line); line != "" {
			silent.WriteString("~" + line + "\n")
		}
	}
	return silent.String()
}
