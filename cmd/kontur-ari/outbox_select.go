package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kontur-ari/bridge/store"
)

// reportIDs parses ids and returns them sorted, each once.
func reportIDs(args []string) (ids []int64, err error) {
	for _, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || id <= 0 {
			return nil, fmt.Errorf("%q is not the id of a report: say a number, such as \"kontur-ari outbox list\" shows them", arg)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// parseSince parses a time, or a duration before now; zero for "". A time without a
// zone is local.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.DateOnly, time.DateTime, "2006-01-02 15:04", time.RFC3339} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q: say how long ago (2h, 90m) or when (2026-11-23, \"2026-11-23 10:38:35\", 2026-11-23T10:38:35+03:00)", text)
}

// chosen returns the ids of the dead letters to work on: those named on the command
// line or, with --all, those that match the filter.
func (o *outbox) chosen(ctx context.Context, verb string) (ids []int64, err error) {
	switch filtered := o.filter != (store.ReportFilter{}); {
	case len(o.ids) > 0 && (o.all || filtered):
		return nil, fmt.Errorf("%s: either name ids, or choose by --all; not both", verb)
	case len(o.ids) > 0:
		return o.ids, o.mustBeDead(ctx)
	case !o.all && filtered:
		return nil, fmt.Errorf("%s: add --all, to have all that the other flags choose", verb)
	case !o.all:
		return nil, fmt.Errorf("%s: name the ids of dead letters, or say --all", verb)
	}
	err = o.Walk(ctx, store.ReportDead, o.filter, func(report store.ReportView) error {
		ids = append(ids, report.ID)
		return nil
	})
	slices.Sort(ids)
	return ids, err
}

// mustBeDead fails if one of the ids is no dead letter, and says what each is.
func (o *outbox) mustBeDead(ctx context.Context) error {
	var others []string
	for _, id := range o.ids {
		report, found, err := o.Find(ctx, id)
		switch {
		case err != nil:
			return err
		case !found:
			others = append(others, fmt.Sprintf("nothing is stored about a report %d", id))
		case report.State != store.ReportDead:
			others = append(others, fmt.Sprintf("report %d is no dead letter: %s", id, stateText(report)))
		}
	}
	if len(others) > 0 {
		return errors.New(strings.Join(append(others, "nothing was changed"), "\n"))
	}
	return nil
}
