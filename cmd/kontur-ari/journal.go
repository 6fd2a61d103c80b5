package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// readJournal reads all events of a store.
func readJournal(ctx context.Context, history *store.History, visit func(passage) error) error {
	all, err := history.Journal(ctx)
	if err != nil {
		return err
	}
	return readEntries(ctx, history, all, visit)
}

// readEntries reads a part of a journal. Events of a damaged store that can't be read
// come last, a passage for each gap.
func readEntries(ctx context.Context, history *store.History, part store.Range, visit func(passage) error) error {
	err := history.Entries(ctx, part, func(e store.Event) error { return visit(passageOf(e)) })
	unreadable, damaged := errors.AsType[*store.UnreadableError](err)
	if !damaged {
		return err
	}
	for _, gap := range unreadable.Parts {
		if err := visit(passage{where: fmt.Sprintf("events %d to %d", gap.First, gap.Last), err: unreadable.First}); err != nil {
			return err
		}
	}
	return nil
}

func passageOf(e store.Event) passage {
	return passage{where: fmt.Sprintf("event %d", e.ID), raw: e.Raw, received: e.Received, call: e.Call}
}

// readAround reads the part of a journal that a call's story is in, and what else
// happened meanwhile: nothing where the call is unknown. The part grows until the
// story shows no channel that has events outside of it.
func readAround(ctx context.Context, history *store.History, call bridge.CallID) ([]passage, error) {
	var part store.Range
	var passages []passage
	channels, unfinished := map[bridge.ChannelID]bool{bridge.ChannelID(call): true}, false
	for {
		wider, err := rangeAround(ctx, history, call, channels, unfinished)
		if part != (store.Range{}) {
			wider = store.Range{First: min(wider.First, part.First), Last: max(wider.Last, part.Last)}
		}
		if err != nil || wider == part {
			return passages, err
		}
		part, passages = wider, nil
		err = readEntries(ctx, history, part, func(p passage) error {
			passages = append(passages, p)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if story, found := storyOf(legible(passages), call); len(story) > 0 {
			channels, unfinished = found, alive(story, found)
		}
	}
}

// legible are the passages that hold an event for the Tracker.
func legible(passages []passage) (events []recorded) {
	for _, p := range passages {
		if event, err := decode(p.raw, p.received); err == nil {
			events = append(events, recorded{received: p.received, call: p.call, event: event})
		}
	}
	return events
}

// rangeAround is the range of everything about the channels of a call: their own
// events, the snapshots before that show them and, where their end is not known,
// those behind up to the one that does not show them any more.
func rangeAround(ctx context.Context, history *store.History, call bridge.CallID, channels map[bridge.ChannelID]bool, unfinished bool) (store.Range, error) {
	part, err := history.CallRange(ctx, call, slices.Sorted(maps.Keys(channels)))
	if err == nil && part == (store.Range{}) {
		// All that was ever said of it may be in snapshots.
		part, err = history.SnapshotRange(ctx, string(call))
	}
	if err != nil || part == (store.Range{}) {
		return part, err
	}
	for showing := true; showing; {
		before, found, err := history.SnapshotBefore(ctx, part.First)
		if err != nil {
			return part, err
		}
		if showing = found && snapshotShows(before, channels); showing {
			part.First = before.ID
		}
	}
	for showing := unfinished; showing; {
		behind, found, err := history.SnapshotAfter(ctx, part.Last)
		if err != nil {
			return part, err
		}
		if showing = found && snapshotShows(behind, channels); found {
			part.Last = behind.ID
		}
	}
	return part, nil
}

func snapshotShows(e store.Event, channels map[bridge.ChannelID]bool) bool {
	event, err := decode(e.Raw, e.Received)
	return err == nil && event.Snapshot != nil && shows(event, channels)
}
