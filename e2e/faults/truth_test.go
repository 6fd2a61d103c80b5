package faults_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/e2e/lab"
)

// outcome says how the calls of a round were told, compared with what really happened.
type outcome struct {
	// exact calls were told to the millisecond, resumed ones as they were although the
	// connection to Asterisk was a new one in between.
	exact, resumed int
	// less is how often resumed calls were told with less than is true: what the lists
	// of channels don't show.
	less int
	// cut calls were told as far as they could be heard, unseen ones were not: too
	// little of them was heard.
	cut, unseen int
}

// compareTruth compares what the CRM is told with what really happened. Of a call of
// which nothing was cut out it must be the same, and where no snapshot told of it what
// its events would have told, in every field and to the millisecond. Of others nothing
// may be said that is not the truth.
func (j *judge) compareTruth(performances []*performance, entries []store.Event, expected map[bridge.CallID][]bridge.Report, found *findings) (all outcome) {
	snapshots := slices.DeleteFunc(slices.Clone(entries), func(e store.Event) bool { return e.Type != bridge.EventSnapshot })
	played := make(map[bridge.CallID]bool)
	for _, p := range performances {
		truth := byCall(p.truth(suite.people))
		told := make(map[bridge.CallID][]bridge.Report)
		for _, id := range p.channels {
			call := bridge.CallID(id)
			played[call] = true
			if reports := expected[call]; len(reports) > 0 {
				told[call] = reports
			}
		}
		switch {
		case p.lost():
			all.cut += len(told)
			all.unseen += max(0, len(truth)-len(told))
			p.compareCut(told, truth, found)
		case p.shownIn(snapshots):
			all.resumed += len(truth)
			if !slices.Equal(tales(told), tales(truth)) && p.toldLess(told, truth) {
				all.less++
				continue
			}
			p.compareWhole(told, truth, tale, found)
		default:
			all.exact += len(truth)
			p.compareWhole(told, truth, lines, found)
		}
	}
	for call := range expected {
		if !played[call] {
			found.add("call %s is told and was not played", call)
		}
	}
	return all
}

func byCall(reports []bridge.Report) map[bridge.CallID][]bridge.Report {
	calls := make(map[bridge.CallID][]bridge.Report)
	for _, report := range reports {
		calls[report.Call] = append(calls[report.Call], report)
	}
	return calls
}

// lost tells whether events of a call were cut out.
func (p *performance) lost() bool {
	return slices.ContainsFunc(p.played, func(e *played) bool { return e.stored == 0 })
}

// shownIn tells whether a snapshot shows a call, or came between two of its events.
func (p *performance) shownIn(snapshots []store.Event) bool {
	first, last := p.played[0].stored, p.played[len(p.played)-1].stored
	return slices.ContainsFunc(snapshots, func(snapshot store.Event) bool {
		return first < snapshot.ID && snapshot.ID < last || slices.ContainsFunc(p.channels, func(id string) bool {
			return bytes.Contains(snapshot.Raw, []byte(`"`+id+`"`))
		})
	})
}

// compareWhole compares calls of which nothing was cut out.
func (p *performance) compareWhole(told, truth map[bridge.CallID][]bridge.Report, in func([]bridge.Report) []string, found *findings) {
	for call, reports := range truth {
		if got, wanted := in(told[call]), in(reports); !slices.Equal(got, wanted) {
			found.add("call %s, %s, is told as\n  %s\nand was\n  %s", call, p.tape.name, strings.Join(got, "\n  "), strings.Join(wanted, "\n  "))
		}
	}
	for call := range told {
		if len(truth[call]) == 0 {
			found.add("call %s, %s, is told and was none", call, p.tape.name)
		}
	}
}

// compareCut finds what is said of a call that is not true of it, nor of a call that
// has to do with it: that one is a consultation about the other may have been cut out.
func (p *performance) compareCut(told, truth map[bridge.CallID][]bridge.Report, found *findings) {
	founded := make(map[string]bool)
	for _, calls := range []map[bridge.CallID][]bridge.Report{truth, byCall(p.truth(suite.strangers))} {
		for _, reports := range calls {
			for _, report := range reports {
				for _, claim := range claims(report) {
					founded[claim] = true
				}
			}
		}
	}
	for call, reports := range told {
		for _, report := range reports {
			for _, claim := range claims(report) {
				if !founded[claim] {
					found.add("of call %s, %s, it is told and not true: %s\n%s", call, p.tape.name, claim, p.bothSides(told, truth))
				}
			}
			if report.Leg != "" && !p.owns(report.Leg) {
				found.add("call %s, %s, has a leg %s that is no channel of it", call, p.tape.name, report.Leg)
			}
		}
	}
	for _, leg := range p.leftOut(told, truth) {
		found.add("of %s it is not told that leg %s, of which nothing was cut out\n%s", p.tape.name, leg, p.bothSides(told, truth))
	}
}

// toldLess tells whether calls are told as they were but for what a list doesn't show: the
// number that was dialled, so that a colleague at a mobile who is first heard of there is
// anybody outside; nor, of a caller who is gone before he could be asked for, which of our
// numbers he called, for which the trunk's stands; nor that somebody took back his hold
// just before the talk ended.
func (p *performance) toldLess(told, truth map[bridge.CallID][]bridge.Report) bool {
	numbers := map[string]bool{"": true, lab.OutsideNumber: true}
	for _, reports := range truth {
		numbers[reports[0].VatsPhone] = true
	}
	for _, reports := range told {
		if slices.ContainsFunc(reports, func(r bridge.Report) bool { return !numbers[r.VatsPhone] }) {
			return false
		}
	}
	bare := tales(listed(told))
	return slices.Equal(bare, tales(listed(truth))) || slices.Equal(bare, tales(listed(byCall(p.truth(suite.strangers)))))
}

// listed is what is told of calls without what lists of channels don't show.
func listed(calls map[bridge.CallID][]bridge.Report) map[bridge.CallID][]bridge.Report {
	without := make(map[bridge.CallID][]bridge.Report)
	for call, reports := range calls {
		last := make(map[bridge.LegID][]bridge.LegEvent)
		for _, report := range slices.Backward(reports) {
			next := last[report.Leg]
			if n := len(next); report.Event == bridge.LegPaused && n > 1 && next[n-1] == bridge.LegConnected && next[n-2] == bridge.LegDisconnected {
				i := slices.IndexFunc(without[call], func(r bridge.Report) bool { return r.Leg == report.Leg && r.Event == bridge.LegConnected })
				without[call] = slices.Delete(without[call], i, i+1)
				next = next[:n-1]
			}
			if n := len(next); report.Event == bridge.LegPaused && n > 0 && next[n-1] == bridge.LegDisconnected {
				// The lists were read in two: of the channels before the hold, of the
				// bridges after the end.
				last[report.Leg] = next
				continue
			}
			last[report.Leg] = append(next, report.Event)
			report.VatsPhone = ""
			without[call] = slices.Insert(without[call], 0, report)
		}
	}
	return without
}

// tales are the tales of all calls.
func tales(calls map[bridge.CallID][]bridge.Report) (all []string) {
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		all = append(all, tale(calls[call])...)
	}
	return all
}

// leftOut are the legs that were told otherwise, or not, although nothing was cut out
// of what Asterisk said of their channels and of who else was in their bridges.
func (p *performance) leftOut(told, truth map[bridge.CallID][]bridge.Report) (legs []string) {
	known := outcomes(told)
	for leg := range outcomes(truth) {
		id, _, _ := strings.Cut(leg, " ")
		concerned := p.bridgesOf(id)
		concerned = append(concerned, id)
		cut := slices.ContainsFunc(p.played, func(e *played) bool {
			return e.stored == 0 && slices.ContainsFunc(concerned, func(id string) bool { return bytes.Contains(e.raw, []byte(`"`+id+`"`)) })
		})
		if !cut && !known[leg] {
			legs = append(legs, leg)
		}
	}
	return legs
}

// bridgesOf are the bridges that a channel was in.
func (p *performance) bridgesOf(channel string) (ids []string) {
	for _, e := range p.played {
		if e.event.Bridge != nil && e.event.Channel != nil && string(e.event.Channel.ID) == channel {
			ids = append(ids, e.event.Bridge.ID)
		}
	}
	return ids
}

// outcomes are whose the legs of calls were, and whether they were answered.
func outcomes(calls map[bridge.CallID][]bridge.Report) map[string]bool {
	all := make(map[string]bool)
	for _, reports := range calls {
		for _, report := range reports {
			for _, item := range report.Items {
				all[fmt.Sprintf("%s was %s>%s, answered: %t", item.ID, party(item.From), party(item.To), !item.StartedAt.IsZero())] = true
			}
		}
	}
	return all
}

// owns tells whether a leg is named after a channel of the call.
func (p *performance) owns(leg bridge.LegID) bool {
	return slices.ContainsFunc(p.channels, func(id string) bool {
		return string(leg) == id || strings.HasPrefix(string(leg), id+"-")
	})
}

func (p *performance) bothSides(told, truth map[bridge.CallID][]bridge.Report) string {
	var text strings.Builder
	for heading, calls := range map[string]map[bridge.CallID][]bridge.Report{"told:": told, "true:": truth} {
		text.WriteString(heading)
		for call, reports := range calls {
			text.WriteString("\n  " + string(call) + ":\n    " + strings.Join(lines(reports), "\n    "))
		}
		text.WriteString("\n")
	}
	return text.String()
}

// claims are what a report says beside when, and of which channel. That somebody holds
// is none: where it was cut out that he takes it back, it is believed for longer. The
// last leg, which alone is told to be finished, may be another where one was cut out.
func claims(r bridge.Report) []string {
	switch r.Kind {
	case bridge.ReportStarted:
		return []string{"started " + string(r.Direction) + " " + r.ClientPhone}
	case bridge.ReportEvent:
		if r.Event == bridge.LegPaused || r.Event == bridge.LegFinished {
			return nil
		}
		return []string{string(r.Event) + " " + party(*r.From) + ">" + party(*r.To)}
	case bridge.ReportRegister:
		var all []string
		for _, item := range r.Items {
			if !item.StartedAt.IsZero() {
				all = append(all, "connected "+party(item.From)+">"+party(item.To))
			}
		}
		return all
	}
	return nil
}
