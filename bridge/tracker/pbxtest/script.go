package pbxtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"kontur-ari/bridge"
)

// Play plays a script in an empty exchange and returns the events that it sends, in
// order. The package's documentation describes the language. The error names the
// first line that can't be read.
func Play(script string) ([]bridge.Event, error) {
	x := newExchange()
	for line := range strings.Lines(script) {
		if line, _, _ = strings.Cut(strings.TrimSpace(line), "#"); line == "" {
			continue
		}
		if err := x.obey(line); err != nil {
			return nil, fmt.Errorf("script line %q: %w", line, err)
		}
	}
	return x.events, nil
}

func (x *exchange) obey(line string) error {
	line, x.silent = strings.CutPrefix(line, "~")
	line, late := strings.CutPrefix(line, "!")
	words := strings.Fields(line)
	seconds, err := strconv.ParseFloat(words[0], 64)
	if err != nil || len(words) < 2 {
		return fmt.Errorf("want a time in seconds and a word")
	}
	x.now = Midnight.Add(time.Duration(seconds*1000+0.5) * time.Millisecond)
	if late {
		ghost := newExchange()
		ghost.now = x.now
		if words[1] != "new" {
			for _, id := range strings.FieldsFunc(words[2], func(r rune) bool { return r == '>' }) {
				ghost.channels[bridge.ChannelID(id)] = &bridge.Channel{ID: bridge.ChannelID(id), Name: "PJSIP/late-00000001"}
			}
		}
		if words[1] == "leave" {
			ghost.bridges[words[3]] = &bridge.Bridge{ID: words[3]}
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
		x.closeBridge(args[0])
	case "merge":
		x.merge(from, to)
	case "hold":
		x.about(bridge.EventChannelHold, id)
	case "unhold":
		x.about(bridge.EventChannelUnhold, id)
	case "app":
		x.channels[id].Application = args[1]
		x.channels[id].WaitsForDial = args[1] == "Stasis" && args[2] == ""
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

// Unheard returns the script with every line marked by ~: all of it happens while the
// connection is down.
func Unheard(script string) string {
	var silent strings.Builder
	for line := range strings.Lines(script) {
		if line = strings.TrimSpace(line); line != "" {
			silent.WriteString("~" + line + "\n")
		}
	}
	return silent.String()
}
