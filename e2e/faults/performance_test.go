package faults_test

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/tracker"
)

// performance plays a tape once, as a call of its own.
type performance struct {
	tape     *tape
	renaming *strings.Replacer
	// channels are the ids of its channels.
	channels []string
	// frame is the index of the next frame. unsent counts its unsent events that were
	// played already.
	frame, unsent int
	played        []*played
}

// played is an event that was sent.
type played struct {
	of    *performance
	raw   []byte
	event bridge.Event
	// listener is the number of the connection that received the event, at the time.
	listener int
	at       time.Time
	// stored is the id of the event in the daemon's journal, or 0 if it is not there.
	stored int64
}

// copies numbers the channels and bridges of copied tapes, so that no two copies share
// an id or a name.
type copies struct{ channels, names, bridges int }

// of returns a copy of a tape: a call that begins now, with ids of its own.
func (c *copies) of(t *tape, now time.Time) *performance {
	var pairs []string
	p := &performance{tape: t}
	for _, id := range t.channels {
		c.channels++
		fresh := fmt.Sprintf("%d.%d", now.Unix(), c.channels)
		pairs = append(pairs, `"`+id+`"`, `"`+fresh+`"`)
		p.channels = append(p.channels, fresh)
	}
	for _, name := range t.names {
		c.names++
		fresh := serial.ReplaceAllString(name, fmt.Sprintf("-%08x", c.names))
		pairs = append(pairs, `"`+name+`"`, `"`+fresh+`"`, `"`+name+`;`, `"`+fresh+`;`)
	}
	for _, id := range t.bridges {
		c.bridges++
		pairs = append(pairs, `"`+id+`"`, fmt.Sprintf(`"00000000-0000-4000-8000-%012x"`, c.bridges))
	}
	p.renaming = strings.NewReplacer(pairs...)
	return p
}

// over reports whether the call is over.
func (p *performance) over() bool { return p.frame == len(p.tape.frames) }

var timestamp = regexp.MustCompile(`"timestamp":"[^"]*"`)

// raw rewrites an event of the tape: it gets the ids of this call and the time now.
func (p *performance) raw(text string, now time.Time) []byte {
	stamp := `"timestamp":"` + now.UTC().Format("2006-01-02T15:04:05.000-0700") + `"`
	return timestamp.ReplaceAllLiteral([]byte(p.renaming.Replace(text)), []byte(stamp))
}

// play sends the next event to the daemon. It returns false if no daemon listens.
func (p *performance) play(server *aritest.Server) (bool, error) {
	now := time.Now()
	next := &p.tape.frames[p.frame]
	for p.unsent < len(next.unsent) {
		if _, ok := server.Play(p.raw(next.unsent[p.unsent], now)); !ok {
			return false, nil
		}
		p.unsent++
	}
	raw := p.raw(next.sent, now)
	event, err := ari.Decode(raw)
	if err != nil {
		return false, fmt.Errorf("a copy of %s can't be read: %w", p.tape.name, err)
	}
	listener, ok := server.Play(raw)
	if !ok {
		return false, nil
	}
	p.played = append(p.played, &played{of: p, raw: raw, event: event, listener: listener, at: now})
	p.frame, p.unsent = p.frame+1, 0
	return true, nil
}

// truth returns what the CRM should receive if no event of the call is lost: the reports
// of a Tracker that gets the events of this call and nothing else.
func (p *performance) truth(people *directory.Directory) []bridge.Report {
	tr := tracker.New(people, policy)
	var reports []bridge.Report
	for _, e := range p.played {
		reports = append(reports, tr.Apply(e.event).Reports...)
	}
	return reports
}
