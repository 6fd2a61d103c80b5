package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// heldBack are the letters of a call that can't be sent again by themselves.
type heldBack struct {
	call             bridge.CallID
	letters, earlier []store.ReportView
}

// heldByCall are letters that come after others, by call.
func heldByCall(behind []store.BlockedReport) (held []*heldBack) {
	byCall := make(map[bridge.CallID]*heldBack)
	for _, b := range behind {
		h := byCall[b.Report.Call]
		if h == nil {
			h = &heldBack{call: b.Report.Call}
			byCall[h.call], held = h, append(held, h)
		}
		h.letters = append(h.letters, b.Report)
		h.earlier = b.Earlier // that of the last has them all
	}
	return held
}

func (h *heldBack) String() string {
	named := make([]string, len(h.earlier))
	for i, e := range h.earlier {
		named[i] = fmt.Sprintf("%d (%s)", e.ID, requestOf(e))
	}
	reports, come, which := "report", "comes", "is a dead letter"
	if len(h.letters) > 1 {
		reports, come = "reports", "come"
	}
	if len(h.earlier) > 1 {
		which = "are dead letters"
	}
	return fmt.Sprintf("%s %s of call %s %s after %s, which %s too", reports, joined(lettersIDs(h.letters)), h.call, come, strings.Join(named, ", "), which)
}

// refusal says why letters that were named are not sent again, and what to type.
func (o *outbox) refusal(behind []store.BlockedReport) error {
	ids := slices.Clone(o.ids)
	var lines []string
	var earlier []int64
	for _, h := range heldByCall(behind) {
		lines = append(lines, h.String())
		earlier = append(earlier, lettersIDs(h.earlier)...)
	}
	ids = append(ids, earlier...)
	slices.Sort(ids)
	slices.Sort(earlier)
	lines = append(lines, fmt.Sprintf("nothing was changed; type \"%s\", or first \"%s\"", o.command("retry", ids...), o.command("drop", earlier...)))
	return errors.New(strings.Join(lines, "\n"))
}

// leftAlone says which of the letters that were chosen by --all stay dead, and what to type.
func (o *outbox) leftAlone(behind []store.BlockedReport) error {
	lines := []string{fmt.Sprintf("%s left alone, since others of their calls that were not chosen come first", counted(len(behind), "dead letter"))}
	for i, h := range heldByCall(behind) {
		if i == told {
			lines = append(lines, "... and those of more calls")
			break
		}
		together := slices.Sorted(slices.Values(lettersIDs(slices.Concat(h.earlier, h.letters))))
		lines = append(lines, fmt.Sprintf("%s: \"%s\"", h, o.command("retry", together...)))
	}
	return errors.New(strings.Join(lines, "\n"))
}

func lettersIDs(letters []store.ReportView) []int64 {
	ids := make([]int64, len(letters))
	for i, letter := range letters {
		ids[i] = letter.ID
	}
	return ids
}

func joined(ids []int64) string {
	return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(ids), "[]")), ", ")
}
