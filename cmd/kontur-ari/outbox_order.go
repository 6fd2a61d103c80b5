package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// blockedReports are reports of one call that can't be sent again before earlier ones,
// which are dead letters too.
type blockedReports struct {
	call             bridge.CallID
	reports, earlier []store.ReportView
}

// blockedByCall groups blocked reports by call, in the order given.
func blockedByCall(behind []store.BlockedReport) (held []*blockedReports) {
	byCall := make(map[bridge.CallID]*blockedReports)
	for _, b := range behind {
		h := byCall[b.Report.Call]
		if h == nil {
			h = &blockedReports{call: b.Report.Call}
			byCall[h.call], held = h, append(held, h)
		}
		h.reports = append(h.reports, b.Report)
		h.earlier = b.Earlier // the last report has all of them before it
	}
	return held
}

func (h *blockedReports) String() string {
	named := make([]string, len(h.earlier))
	for i, e := range h.earlier {
		named[i] = fmt.Sprintf("%d (%s)", e.ID, requestText(e))
	}
	reports, come, which := "report", "comes", "is a dead letter"
	if len(h.reports) > 1 {
		reports, come = "reports", "come"
	}
	if len(h.earlier) > 1 {
		which = "are dead letters"
	}
	return fmt.Sprintf("%s %s of call %s %s after %s, which %s too", reports, joinIDs(idsOf(h.reports)), h.call, come, strings.Join(named, ", "), which)
}

// refusal says why the named dead letters are not sent again, and what to type.
func (o *outbox) refusal(behind []store.BlockedReport) error {
	ids := slices.Clone(o.ids)
	var lines []string
	var earlier []int64
	for _, h := range blockedByCall(behind) {
		lines = append(lines, h.String())
		earlier = append(earlier, idsOf(h.earlier)...)
	}
	ids = append(ids, earlier...)
	slices.Sort(ids)
	slices.Sort(earlier)
	lines = append(lines, fmt.Sprintf("nothing was changed; type \"%s\", or first \"%s\"", o.command("retry", ids...), o.command("drop", earlier...)))
	return errors.New(strings.Join(lines, "\n"))
}

// leftAlone says which of the dead letters chosen by --all stay dead, and what to type.
func (o *outbox) leftAlone(behind []store.BlockedReport) error {
	lines := []string{fmt.Sprintf("%s left alone, since others of their calls that were not chosen come first", counted(len(behind), "dead letter"))}
	for i, h := range blockedByCall(behind) {
		if i == mostNamed {
			lines = append(lines, "... and those of more calls")
			break
		}
		together := slices.Sorted(slices.Values(idsOf(slices.Concat(h.earlier, h.reports))))
		lines = append(lines, fmt.Sprintf("%s: \"%s\"", h, o.command("retry", together...)))
	}
	return errors.New(strings.Join(lines, "\n"))
}

func idsOf(reports []store.ReportView) []int64 {
	ids := make([]int64, len(reports))
	for i, report := range reports {
		ids[i] = report.ID
	}
	return ids
}

// joinIDs is ids separated by commas.
func joinIDs(ids []int64) string {
	return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(ids), "[]")), ", ")
}
