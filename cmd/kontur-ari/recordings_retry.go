package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/cmd/kontur-ari/internal/casebook"
)

// retryRecordings puts recordings back to be processed again.
func retryRecordings(ctx context.Context, r *recordingList) error {
	ids, err := r.chosen(ctx)
	if err != nil {
		return err
	}
	returned, err := r.Retry(ctx, ids)
	if err != nil {
		return err
	}
	entries, err := r.Find(ctx, returned)
	if err != nil {
		return err
	}
	table := newColumns(untitled(idColumn, callColumn, column{})...)
	for i, entry := range entries {
		if r.json {
			if err := writeJSON(r.out, recordingLine(entry)); err != nil {
				return err
			}
		} else if i < mostNamed {
			table.add(entry.ID, entry.Recorded.Call, orDash(casebook.OneLine(entry.File.Name)))
		}
	}
	if r.json {
		return nil
	}
	if err := table.print(r.out); err != nil {
		return err
	}
	if len(entries) > mostNamed {
		fmt.Fprintf(r.out, "... and %d more\n", len(entries)-mostNamed)
	}
	_, err = fmt.Fprintf(r.out, "%s to be looked at and uploaded again, by the service as soon as it can; \"kontur-ari recordings list%s\" tells how that went\n", counted(len(entries), "recording"), r.config)
	return err
}

// chosen returns the ids of the recordings to retry: those named on the command line
// or, with --all, those that match the filter and can be retried.
func (r *recordingList) chosen(ctx context.Context) (ids []int64, err error) {
	switch filtered := r.filter != (store.RecordingFilter{}); {
	case len(r.ids) > 0 && (r.all || filtered):
		return nil, errors.New("retry: either name ids, or choose by --all; not both")
	case len(r.ids) > 0:
		return r.ids, r.mustBeRetryable(ctx)
	case !r.all:
		return nil, errors.New("retry: name the ids of recordings, or say --all")
	}
	err = r.Walk(ctx, r.filter, func(entry store.RecordingEntry) error {
		if entry.Retryable() {
			ids = append(ids, entry.ID)
		}
		return nil
	})
	return ids, err
}

// mustBeRetryable fails if one of the ids can't be retried, and says why for each.
func (r *recordingList) mustBeRetryable(ctx context.Context) error {
	entries, err := r.Find(ctx, r.ids)
	if err != nil {
		return err
	}
	var others []string
	for _, id := range r.ids {
		i := slices.IndexFunc(entries, func(entry store.RecordingEntry) bool { return entry.ID == id })
		switch {
		case i < 0:
			others = append(others, fmt.Sprintf("nothing is stored about a recording %d", id))
		case entries[i].State == bridge.RecordingAnnounced:
			others = append(others, fmt.Sprintf("the CRM has recording %d", id))
		case !entries[i].Retryable():
			others = append(others, fmt.Sprintf("recording %d is on its way: %s", id, entries[i].State))
		}
	}
	if len(others) > 0 {
		return errors.New(strings.Join(append(others, "nothing was changed"), "\n"))
	}
	return nil
}
