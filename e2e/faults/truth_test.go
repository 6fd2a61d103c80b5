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

// outcome counts the calls of a round by how their reports compare with the truth.
type outcome struct {
	// exact calls have the reports of the truth, to the millisecond. resumed calls have
	// the same reports but other times: the connection to Asterisk was replaced in between.
	exact, resumed int
	// less is how many performances with resumed calls were reported with less than the
	// truth. Their reports lack only what lists of channels don't show.
	less int
	// cut calls were reported as far as their events arrived. unseen calls were not
	// reported, because too few of their events arrived.
	cut, unseen int
}

// compareTruth compares the expected reports with what really happened.
//
// If no event of a call was cut out, its reports must be those of the truth. They must
// agree in every field and to the millisecond, unless a snapshot shows the call: then the
// times may differ. If events were cut out, no report may contradict the truth.
func (j *judge) compareTruth(performances []*performance, entries []store.Event, expected map[bridge.CallID][]bridge.Report, found *findings) (all outcome) {
	snapshots := slices.DeleteFunc(slices.Clone(entries), func(e store.Event) bool { return e.Type != bridge.EventSnapshot })
	played := make(map[bridge.CallID]bool)
	for _, p := range performances {
		truth := byCall(p.truth(suite.people))
		reported := make(map[bridge.CallID][]bridge.Report)
		for _, id := range p.channels {
			call := bridge.CallID(id)
			played[call] = true
			if reports := expected[call]; len(reports) > 0 {
				reported[call] = reports
			}
		}
		switch {
		case p.lost():
			all.cut += len(reported)
			all.unseen += max(0, len(truth)-len(reported))
			p.compareCut(reported, truth, found)
		case p.shownIn(snapshots):
			all.resumed += len(truth)
			if !slices.Equal(callLines(reported), callLines(truth)) && p.reportedLess(reported, truth) {
				all.less++
				continue
			}
			p.compareWhole(reported, truth, legLines, found)
		default:
			all.exact += len(truth)
			p.compareWhole(reported, truth, lines, found)
		}
	}
	for call := range expected {
		if !played[call] {
			found.add("call %s is reported and was not played", call)
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

// lost reports whether events of a call were cut out.
func (p *performance) lost() bool {
	return slices.ContainsFunc(p.played, func(e *played) bool { return e.stored == 0 })
}

// shownIn reports whether a snapshot shows a call, or came between two of its events.
func (p *performance) shownIn(snapshots []store.Event) bool {
	first, last := p.played[0].stored, p.played[len(p.played)-1].stored
	return slices.ContainsFunc(snapshots, func(snapshot store.Event) bool {
		return first < snapshot.ID && snapshot.ID < last || slices.ContainsFunc(p.channels, func(id string) bool {
			return bytes.Contains(snapshot.Raw, []byte(`"`+id+`"`))
		})
	})
}

// compareWhole compares calls of which no event was cut out. in turns reports into the
// lines to compare.
func (p *performance) compareWhole(reported, truth map[bridge.CallID][]bridge.Report, in func([]bridge.Report) []string, found *findings) {
	for call, reports := range truth {
		if got, wanted := in(reported[call]), in(reports); !slices.Equal(got, wanted) {
			found.add("call %s, %s, is reported as\n  %s\nand was\n  %s", call, p.tape.name, strings.Join(got, "\n  "), strings.Join(wanted, "\n  "))
		}
	}
	for call := range reported {
		if len(truth[call]) == 0 {
			found.add("call %s, %s, is reported and was none", call, p.tape.name)
		}
	}
}

// compareCut finds untrue reports about calls of which events were cut out. A claim may
// be true of another call of the same performance: the event that joined a consultation
// to its call may have been cut out.
func (p *performance) compareCut(reported, truth map[bridge.CallID][]bridge.Report, found *findings) {
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
	for call, reports := range reported {
		for _, report := range reports {
			for _, claim := range claims(report) {
				if !founded[claim] {
					found.add("of call %s, %s, an untrue report: %s\n%s", call, p.tape.name, claim, p.bothSides(reported, truth))
				}
			}
			if report.Leg != "" && !p.owns(report.Leg) {
				found.add("call %s, %s, has a leg %s that is no channel of it", call, p.tape.name, report.Leg)
			}
		}
	}
	for _, leg := range p.leftOut(reported, truth) {
		found.add("of %s it is not reported that leg %s, of which nothing was cut out\n%s", p.tape.name, leg, p.bothSides(reported, truth))
	}
}

// reportedLess reports whether the reports lack only what a list of channels doesn't show:
//
//   - The dialled number. A colleague at a mobile who first appears in a list may be
//     reported as a person outside.
//   - The called number, if the caller hung up while the lists were read. The trunk's
//     number stands in its place.
//   - A hold, or its end, just before the end of the talk.
func (p *performance) reportedLess(reported, truth map[bridge.CallID][]bridge.Report) bool {
	numbers := map[string]bool{"": true, lab.OutsideNumber: true}
	for _, reports := range truth {
		numbers[reports[0].VatsPhone] = true
	}
	for _, reports := range reported {
		if slices.ContainsFunc(reports, func(r bridge.Report) bool { return !numbers[r.VatsPhone] }) {
			return false
		}
	}
	bare := callLines(listed(reported))
	return slices.Equal(bare, callLines(listed(truth))) || slices.Equal(bare, callLines(listed(byCall(p.truth(suite.strangers)))))
}

// listed returns the reports without what lists of channels don't show.
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
				// The list of channels was read before the hold, that of bridges after
				// the end of the talk.
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

// callLines returns the legLines of all calls, in the order of their ids.
func callLines(calls map[bridge.CallID][]bridge.Report) (all []string) {
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		all = append(all, legLines(calls[call])...)
	}
	return all
}

// leftOut returns the legs that were reported otherwise or not at all, although they
// should be known: no event of their channels was cut out, and none of the other channels
// in their bridges.
func (p *performance) leftOut(reported, truth map[bridge.CallID][]bridge.Report) (legs []string) {
	known := outcomes(reported)
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

// bridgesOf returns the ids of the bridges that a channel was in.
func (p *performance) bridgesOf(channel string) (ids []string) {
	for _, e := range p.played {
		if e.event.Bridge != nil && e.event.Channel != nil && string(e.event.Channel.ID) == channel {
			ids = append(ids, e.event.Bridge.ID)
		}
	}
	return ids
}

// outcomes returns the parties of each finished leg, and whether it was answered.
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

// owns reports whether a leg is named after a channel of the call.
func (p *performance) owns(leg bridge.LegID) bool {
	return slices.ContainsFunc(p.channels, func(id string) bool {
		return string(leg) == id || strings.HasPrefix(string(leg), id+"-")
	})
}

func (p *performance) bothSides(reported, truth map[bridge.CallID][]bridge.Report) string {
	var text strings.Builder
	for heading, calls := range map[string]map[bridge.CallID][]bridge.Report{"reported:": reported, "true:": truth} {
		text.WriteString(heading)
		for call, reports := range calls {
			text.WriteString("\n  " + string(call) + ":\n    " + strings.Join(lines(reports), "\n    "))
		}
		text.WriteString("\n")
	}
	return text.String()
}

// claims returns what a report says, without times and channels.
//
// A hold is no claim: if the event that ends it was cut out, the hold seems to last
// longer. A finished leg is no claim either: only the last leg of a call is reported as
// finished, and that may be another leg if one was cut out.
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
