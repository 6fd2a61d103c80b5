package bridge_test

import (
	"fmt"
	"strings"

	"kontur-ari/bridge"
)

// truth is what really happened in one call, written down by those who made it
// happen, in the form of a transcript.
type truth struct {
	x       *exchange
	call    bridge.ChannelID
	started bool
	lines   []string
	legs    []*legTruth
	last    *legTruth
}

type legTruth struct {
	of          *truth
	id          bridge.ChannelID
	parties     string
	began, over string
}

func (c *truth) tell(format string, args ...any) {
	c.lines = append(c.lines, c.now()+" "+string(c.call)+" "+fmt.Sprintf(format, args...))
}

func (c *truth) now() string { return clock(c.x.now, midnight) }

func (c *truth) start(direction, phones string) {
	if !c.started {
		c.started = true
		c.tell("started %s %s", direction, phones)
	}
}

func (c *truth) appear(id bridge.ChannelID, parties string) *legTruth {
	leg := &legTruth{of: c, id: id, parties: parties, began: "never"}
	c.legs = append(c.legs, leg)
	if c.last == nil || c.last.began == "never" {
		c.last = leg
	}
	leg.is("appeared")
	return leg
}

func (l *legTruth) is(what string) { l.of.tell("%s %s %s", l.id, what, l.parties) }

func (l *legTruth) connect() {
	l.began = l.of.now()
	l.of.last = l
	l.is("connected")
}

func (l *legTruth) end() {
	if l.over == "" {
		l.over = l.of.now()
		l.is("disconnected")
	}
}

// hangUp is the end of the call; nobody is left in it.
func (c *truth) hangUp() {
	if !c.started {
		return
	}
	items := make([]string, 0, len(c.legs))
	for _, leg := range c.legs {
		leg.end()
		items = append(items, fmt.Sprintf("%s %s %s..%s", leg.id, leg.parties, leg.began, leg.over))
	}
	if c.last != nil {
		c.last.is("finished")
	} else {
		items = append(items, fmt.Sprintf("%s client>user never..%s", c.call, c.now()))
	}
	c.tell("CALL-FINISHED")
	c.tell("REGISTER %s", strings.Join(items, ", "))
}
