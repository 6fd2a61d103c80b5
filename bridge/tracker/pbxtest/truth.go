package pbxtest

import (
	"fmt"
	"slices"
	"strings"

	"kontur-ari/bridge"
)

// truth is what must be reported of one call, as the lines of a transcript. The generator
// writes it while it plays the call.
type truth struct {
	*Traffic
	call    bridge.ChannelID
	started bool
	lines   []string
	legs    []*legTruth
	last    *legTruth
	// people are the channels of people in the call, without those that only ring.
	people []bridge.ChannelID
	// over is when the call ended; "" while it goes on.
	over string
}

type legTruth struct {
	of          *truth
	id          bridge.ChannelID
	parties     string
	state       string
	began, over string
	// joined: both parties are outside, so only the event of a transfer connects them.
	joined bool
}

func (c *truth) write(format string, args ...any) {
	c.lines = append(c.lines, c.now()+" "+string(c.call)+" "+fmt.Sprintf(format, args...))
}

func (c *truth) now() string { return Seconds(c.x.now, Midnight) }

func (c *truth) start(direction, phones string) {
	if !c.started {
		c.started = true
		c.write("started %s %s", direction, phones)
	}
}

// appear starts a leg of a channel. If the channel's id was used for a leg of a reported call
// before, the leg gets a number.
func (c *truth) appear(id bridge.ChannelID, parties string) *legTruth {
	leg := &legTruth{of: c, id: id, parties: parties, began: "never"}
	if c.started {
		if c.served[id]++; c.served[id] > 1 {
			leg.id += bridge.ChannelID(fmt.Sprintf("-%d", c.served[id]))
		}
	}
	c.legs = append(c.legs, leg)
	if c.last == nil || c.last.began == "never" {
		c.last = leg
	}
	leg.is("appeared")
	return leg
}

func (l *legTruth) is(what string) {
	l.state = what
	l.of.write("%s %s %s", l.id, what, l.parties)
}

func (l *legTruth) connect() {
	l.began = l.of.now()
	l.of.last = l
	l.is("connected")
}

// hold notes whether either side holds now.
func (l *legTruth) hold(held bool) {
	switch {
	case held && l.state == "connected":
		l.is("paused")
	case !held && l.state == "paused":
		l.is("connected")
	}
}

func (l *legTruth) end() {
	if l.over == "" {
		l.over = l.of.now()
		l.is("disconnected")
	}
}

// joins adds a person to the call.
func (c *truth) joins(id bridge.ChannelID) { c.people = append(c.people, id) }

// quits removes a person from the call. With the last one the call is over.
func (c *truth) quits(id bridge.ChannelID) {
	c.people = slices.DeleteFunc(c.people, func(other bridge.ChannelID) bool { return other == id })
	if len(c.people) == 0 {
		c.hangUp()
	}
}

// gone destroys a person's channel.
func (c *truth) gone(id bridge.ChannelID) {
	c.x.destroy(id, 16)
	c.quits(id)
}

// hangUp writes the end of the call.
func (c *truth) hangUp() {
	c.over = c.now()
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
	c.write("CALL-FINISHED")
	c.write("REGISTER %s", strings.Join(items, ", "))
}
