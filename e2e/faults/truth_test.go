package faults_test

import (
	"bytes"
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// outcome says how the calls of a round were told, compared with what really happened.
type outcome struct {
	// exact calls were told as they were, cut ones as far as they could be heard.
	exact, cut int
	// unseen calls were not told: too little of them was heard.
	unseen int
}

// compareTruth compares what the CRM is told with what really happened. Where nothing
// was cut out of a call it must be the same in every field and to the millisecond.
// Where something was, nothing may be said that is not the truth.
func (j *judge) compareTruth(performances []*performance, entries []store.Event, expected map[bridge.CallID][]bridge.Report, found *findings) (all outcome) {
	var snapshots []store.Event
	for _, entry := range entries {
		if entry.Type == bridge.EventSnapshot {
			snapshots = append(snapshots, entry)
		}
	}
	calls := make(map[bridge.CallID]bool)
	for _, p := range performances {
		truth := make(map[bridge.CallID][]bridge.Report)
		for _, report := range p.truth(suite.people) {
			truth[report.Call] = append(truth[report.Call], report)
		}
		told := make(map[bridge.CallID][]bridge.Report)
		for _, id := range p.channels {
			call := bridge.CallID(id)
			calls[call] = true
			if reports := expected[call]; len(reports) > 0 {
				told[call] = reports
			}
		}
		if p.whole(snapshots) {
			all.exact += len(truth)
			compareWhole(p, told, truth, found)
			continue
		}
		all.cut += len(told)
		all.unseen += max(0, len(truth)-len(told))
		compareCut(p, told, truth, found)
		if !slices.ContainsFunc(p.played, func(e *played) bool { return e.stored == 0 }) {
			for call, reports := range truth {
				cutTimes := func(ls []string) []string { for i := range ls { if len(ls[i])>13 { ls[i]=ls[i][13:] }; if x,_,ok := strings.Cut(ls[i], "register"); ok { ls[i]=x+"register" } }; return ls }
				if a,b := cutTimes(lines(told[call])), cutTimes(lines(reports)); !slices.Equal(a,b) {
					println("LESS", p.tape.name, "\n  told ", strings.Join(lines(told[call]),"\n       "), "\n  truth ", strings.Join(lines(reports), "\n       "))
				}
			}
		}
	}
	for call := range expected {
		if !calls[call] {
			found.add("call %s is told and was not played", call)
		}
	}
	return all
}

// whole tells whether every event of a call was stored, and no snapshot showed it.
func (p *performance) whole(snapshots []store.Event) bool {
	if slices.ContainsFunc(p.played, func(e *played) bool { return e.stored == 0 }) {
		return false
	}
	first, last := p.played[0].stored, p.played[len(p.played)-1].stored
	return !slices.ContainsFunc(snapshots, func(snapshot store.Event) bool {
		return first < snapshot.ID && snapshot.ID < last || p.shownIn(snapshot.Raw)
	})
}

// shownIn tells whether a snapshot shows a channel of a call.
func (p *performance) shownIn(snapshot []byte) bool {
	return slices.ContainsFunc(p.channels, func(id string) bool {
		return bytes.Contains(snapshot, []byte(`"`+id+`"`))
	})
}

func compareWhole(p *performance, told, truth map[bridge.CallID][]bridge.Report, found *findings) {
	for call, reports := range truth {
		if got, wanted := lines(told[call]), lines(reports); !slices.Equal(got, wanted) {
			found.add("call %s, %s, is told as\n  %s\nand was\n  %s", call, p.tape.name, strings.Join(got, "\n  "), strings.Join(wanted, "\n  "))
		}
	}
	for call := range told {
		if len(truth[call]) == 0 {
			found.add("call %s, %s, is told and was none", call, p.tape.name)
		}
	}
}

// compareCut finds what is said of a call that is not true of it, or of a call that
// has to do with it: that one is a consultation about the other may have been cut out.
func compareCut(p *performance, told, truth map[bridge.CallID][]bridge.Report, found *findings) {
	founded := make(map[string]bool)
	for _, reports := range truth {
		for _, report := range reports {
			for _, claim := range claims(report) {
				founded[claim] = true
			}
		}
	}
	for call, reports := range told {
		for _, report := range reports {
			for _, claim := range claims(report) {
				if !founded[claim] {
					found.add("of call %s, %s, it is told and not true: %s\n  %s\nof\n  %s", call, p.tape.name, claim,
						strings.Join(lines(reports), "\n  "), strings.Join(allLines(truth), "\n  "))
				}
			}
			if report.Leg != "" && !slices.ContainsFunc(p.channels, func(id string) bool {
				return string(report.Leg) == id || strings.HasPrefix(string(report.Leg), id+"-")
			}) {
				found.add("call %s, %s, has a leg %s that is no channel of it", call, p.tape.name, report.Leg)
			}
		}
	}
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

func allLines(calls map[bridge.CallID][]bridge.Report) (all []string) {
	for _, reports := range calls {
		all = append(all, lines(reports)...)
	}
	return all
}
