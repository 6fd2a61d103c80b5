package faults_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
)

// line puts every field of a report into one line. requestLine does the same for a request
// that the CRM received. The lines are equal only if all fields are.
func line(r bridge.Report) string {
	switch r.Kind {
	case bridge.ReportEvent:
		return fmt.Sprintf("%s call-event %s %s %s>%s", clock(r.Time), r.Leg, r.Event, party(*r.From), party(*r.To))
	case bridge.ReportRegister:
		items := make([]string, len(r.Items))
		for i, item := range r.Items {
			items[i] = itemLine(string(item.ID), party(item.From), party(item.To), item.StartedAt, item.FinishedAt)
		}
		return fmt.Sprintf("%s register-call %s %q %q %s", clock(r.CreatedAt), r.Direction, r.ClientPhone, r.VatsPhone, strings.Join(items, ", "))
	case bridge.ReportFailed:
		return "call-failed " + r.CommunicationID
	}
	return fmt.Sprintf("%s %s %s %q %q", clock(r.Time), r.Kind, r.Direction, r.ClientPhone, r.VatsPhone)
}

func requestLine(r crmtest.Request) string {
	b := r.Body
	switch r.Kind {
	case crmtest.KindEvent:
		return fmt.Sprintf("%s call-event %s %s %s>%s", clock(b.Timestamp), b.ExternalCallItemID, b.Type, b.From, b.To)
	case crmtest.KindRegister:
		items := make([]string, len(b.Items))
		for i, item := range b.Items {
			items[i] = itemLine(item.ID, item.From.String(), item.To.String(), item.StartedAt, item.FinishedAt)
		}
		return fmt.Sprintf("%s register-call %s %q %q %s", clock(b.ExternalCreatedAt), b.Direction, b.ClientPhone, b.ExternalVatsPhone, strings.Join(items, ", "))
	case crmtest.KindFailed:
		return "call-failed " + b.CommunicationID
	}
	return fmt.Sprintf("%s %s %s %q %q", clock(b.Timestamp), r.Kind, b.Direction, b.ClientPhone, b.ExternalVatsPhone)
}

func itemLine(id, from, to string, started, finished time.Time) string {
	answered := "never"
	if !started.IsZero() {
		answered = clock(started)
	}
	return fmt.Sprintf("%s %s>%s %s..%s", id, from, to, answered, clock(finished))
}

// legLines returns what reports say of each leg and of the call itself, without times.
// It orders them by leg, because a snapshot may show one leg earlier than its events do.
func legLines(reports []bridge.Report) []string {
	legs := make(map[bridge.LegID][]string)
	for _, r := range reports {
		r = untimed(r)
		slices.SortFunc(r.Items, func(a, b bridge.Item) int { return cmp.Compare(a.ID, b.ID) })
		legs[r.Leg] = append(legs[r.Leg], line(r))
	}
	var all []string
	for _, leg := range slices.Sorted(maps.Keys(legs)) {
		all = append(all, legs[leg]...)
	}
	return all
}

// untimed returns a report without its times. It keeps whether a leg was answered.
func untimed(r bridge.Report) bridge.Report {
	r.Time, r.CreatedAt = time.Time{}, time.Time{}
	r.Items = slices.Clone(r.Items)
	for i := range r.Items {
		item := &r.Items[i]
		if item.FinishedAt = (time.Time{}); !item.StartedAt.IsZero() {
			item.StartedAt = time.Unix(0, 0)
		}
	}
	return r
}

// lines returns a line for each report.
func lines(reports []bridge.Report) []string {
	all := make([]string, len(reports))
	for i, report := range reports {
		all[i] = line(report)
	}
	return all
}

func clock(at time.Time) string { return at.UTC().Format("15:04:05.000") }

func party(p bridge.Party) string {
	return crmtest.Party{Type: string(p.Type), UserID: p.UserID}.String()
}
