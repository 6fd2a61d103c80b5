package casebook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// readJournal visits all events of a store.
func readJournal(ctx context.Context, history *store.History, visit func(Passage) error) error {
	all, err := history.Journal(ctx)
	if err != nil {
		return err
	}
	return readRange(ctx, history, all, visit)
}

// readRange visits a range of a journal in order. In a damaged store the unreadable
// events come last, one passage for each gap.
func readRange(ctx context.Context, history *store.History, part store.Range, visit func(Passage) error) error {
	err := history.Events(ctx, part, func(e store.Event) error { return visit(passageOf(e)) })
	unreadable, damaged := errors.AsType[*store.UnreadableError](err)
	if !damaged {
		return err
	}
	for _, gap := range unreadable.Parts {
		if err := visit(Passage{Where: fmt.Sprintf("events %d to %d", gap.First, gap.Last), Err: unreadable.First}); err != nil {
			return err
		}
	}
	return nil
}

func passageOf(e store.Event) Passage {
	return Passage{Where: fmt.Sprintf("event %d", e.ID), Raw: e.Raw, Received: e.Received, Call: e.Call}
}

// ReadAround returns the part of a journal that contains a call's story, with the
// events of other calls in between; nothing where the call is unknown.
//
// Each reading may reveal more channels of the call. It therefore widens the range
// until all events of the known channels are inside.
func ReadAround(ctx context.Context, history *store.History, call bridge.CallID) ([]Passage, error) {
	var part store.Range
	var passages []Passage
	channels, open := map[bridge.ChannelID]bool{bridge.ChannelID(call): true}, false
	for {
		wider, err := rangeAround(ctx, history, call, channels, open)
		if part != (store.Range{}) {
			wider = store.Range{First: min(wider.First, part.First), Last: max(wider.Last, part.Last)}
		}
		if err != nil || wider == part {
			return passages, err
		}
		part, passages = wider, nil
		err = readRange(ctx, history, part, func(p Passage) error {
			passages = append(passages, p)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if story, found := storyOf(decodable(passages), call); len(story) > 0 {
			channels, open = found, unfinished(story, found)
		}
	}
}

// rangeAround returns the range of all events of a call's channels, with the
// snapshots before it that show them. open: the end of a channel is unknown. The
// range then extends to the first later snapshot that shows none of them.
func rangeAround(ctx context.Context, history *store.History, call bridge.CallID, channels map[bridge.ChannelID]bool, open bool) (store.Range, error) {
	part, err := history.CallRange(ctx, call, slices.Sorted(maps.Keys(channels)))
	if err == nil && part == (store.Range{}) {
		// The call may appear in snapshots alone.
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
	for showing := open; showing; {
		after, found, err := history.SnapshotAfter(ctx, part.Last)
		if err != nil {
			return part, err
		}
		if showing = found && snapshotShows(after, channels); found {
			part.Last = after.ID
		}
	}
	return part, nil
}

func snapshotShows(e store.Event, channels map[bridge.ChannelID]bool) bool {
	event, err := decodeEvent(e.Raw, e.Received)
	return err == nil && event.Snapshot != nil && showsAny(event, channels)
}
