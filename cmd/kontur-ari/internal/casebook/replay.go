package casebook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
)

// ReplayOptions say what [Replay] shows, and where.
type ReplayOptions struct {
	// File is the name of the source in messages.
	File string
	// Call is the only call to show; "" for all.
	Call bridge.CallID
	// JSON writes reports alone to Out, one a line, and all else to Err.
	JSON bool
	// Events writes the events themselves to Out, one a line. No Tracker is made.
	Events bool
	// NewTracker makes the Tracker. It is not called where the source lacks Call.
	NewTracker func() (*tracker.Tracker, error)

	Out, Err io.Writer
}

// Replay gives the events of a source to a new Tracker and shows what it makes of
// them. Places that can't be read are left out and named on Err. The error then
// says how many there are, after everything else has been shown.
func Replay(ctx context.Context, source *Source, o ReplayOptions) error {
	decoder := newDecoder(o.File, o.Err)
	chosen, err := choose(ctx, source, decoder, o)
	if err != nil {
		return err
	}
	var r *replayer
	visit := func(e loggedEvent) error { return writeRaw(o.Out, e.event.Raw) }
	if !o.Events {
		tr, err := o.NewTracker()
		if err != nil {
			return err
		}
		r = newReplayer(tr, chosen.presence, o)
		visit = r.apply
	}
	if err := chosen.each(visit); err != nil {
		return err
	}
	if decoder.events == 0 && decoder.unreadable == 0 {
		return fmt.Errorf("%s holds no event: name a capture, or a %s", o.File, store.FileName)
	}
	if r != nil {
		r.summarise(decoder)
		r.warn(source.cut)
	}
	return decoder.err()
}

// selection is the events to replay.
type selection struct {
	// each visits the events in order, until visit fails.
	each func(visit func(loggedEvent) error) error
	// presence tracks the channels of these events.
	presence *presence
}

// choose selects all events of a source, or the story of one call.
func choose(ctx context.Context, source *Source, decoder *decoder, o ReplayOptions) (selection, error) {
	if o.Call == "" {
		return everything(ctx, source, decoder), nil
	}
	passages, err := source.around(ctx, o.Call)
	if err != nil {
		return selection{}, err
	}
	var events []loggedEvent
	for _, p := range passages {
		if e, ok := decoder.decode(p); ok {
			events = append(events, e)
		}
	}
	story, channels := storyOf(events, o.Call)
	if len(story) == 0 {
		return selection{}, fmt.Errorf("%s holds no event of a call %q: without --call all of its calls are shown", o.File, o.Call)
	}
	decoder.events, decoder.unknown = len(story), nil // other calls don't count
	each := func(visit func(loggedEvent) error) error {
		for _, e := range story {
			if err := visit(e); err != nil {
				return err
			}
		}
		return nil
	}
	return selection{each, presenceOf(channels)}, nil
}

// everything selects all events. They are decoded as they are visited, since a
// journal may be larger than memory.
func everything(ctx context.Context, source *Source, decoder *decoder) selection {
	each := func(visit func(loggedEvent) error) error {
		return source.all(ctx, func(p Passage) error {
			if e, ok := decoder.decode(p); ok {
				return visit(e)
			}
			return nil
		})
	}
	return selection{each, newPresence(func(bridge.Channel) bool { return true })}
}

// replayer gives events to a Tracker and shows the outcomes.
type replayer struct {
	ReplayOptions
	tracker *tracker.Tracker
	// notes is where everything but the reports goes.
	notes    io.Writer
	presence *presence

	// reports is how many were shown.
	reports  int
	touched  map[bridge.CallID]bool
	reported map[bridge.CallID]bool
	// unbegun are calls that the daemon knew at an event and this Tracker did not.
	unbegun map[bridge.CallID]bool
}

func newReplayer(tr *tracker.Tracker, present *presence, o ReplayOptions) *replayer {
	r := &replayer{
		ReplayOptions: o, tracker: tr, notes: o.Out, presence: present,
		touched: make(map[bridge.CallID]bool), reported: make(map[bridge.CallID]bool), unbegun: make(map[bridge.CallID]bool),
	}
	if o.JSON {
		r.notes = o.Err
	}
	return r
}

// apply gives an event to the Tracker and shows the event and its outcome.
func (r *replayer) apply(e loggedEvent) error {
	outcome := r.tracker.Apply(e.event)
	if !r.JSON {
		r.note(e.event.Time, sourceText(e.event))
		if gone := r.presence.update(e.event); gone != "" {
			r.note(e.event.Time, "  gone     "+gone)
		}
	}
	if e.call != "" && outcome.Call == "" {
		r.unbegun[e.call] = true
	}
	for _, id := range outcome.Touched {
		r.touched[id] = true
	}
	for _, action := range outcome.Actions {
		if !r.JSON && r.shows(action.Call) {
			r.note(e.event.Time, "  switch   "+actionText(action))
		}
	}
	for _, report := range outcome.Reports {
		if err := r.report(report); err != nil {
			return err
		}
	}
	for _, failure := range outcome.Failures {
		if r.shows(failure.Call) {
			r.note(e.event.Time, fmt.Sprintf("  failed   %s nobody was dialled: %s", failure.Call, failure.Cause))
		}
	}
	for _, note := range outcome.Notes {
		if r.shows(note.Call) {
			r.note(e.event.Time, fmt.Sprintf("  note     %s not fully understood, so reported less: %s (channel %s)", note.Call, note.Reason, note.Channel))
		}
	}
	return nil
}

// shows reports whether a call is among those to show.
func (r *replayer) shows(call bridge.CallID) bool { return r.Call == "" || call == r.Call }

// report shows a report.
func (r *replayer) report(report bridge.Report) error {
	r.reported[report.Call] = true
	if !r.shows(report.Call) {
		return nil
	}
	r.reports++
	if !r.JSON {
		r.note(report.Time, fmt.Sprintf("  report   %s %s", report.Call, reportText(report)))
		return nil
	}
	if err := json.NewEncoder(r.Out).Encode(report); err != nil {
		return fmt.Errorf("writing a report: %w", err)
	}
	return nil
}

func (r *replayer) note(at time.Time, text string) {
	fmt.Fprintf(r.notes, "%s  %s\n", at.Local().Format(timeLayout), text)
}

// summarise counts what was read and what was not, and lists the calls without an end.
func (r *replayer) summarise(decoder *decoder) {
	fmt.Fprintf(r.notes, "%d events, %d reports\n", decoder.events, r.reports)
	if len(decoder.unknown) > 0 {
		var types []string
		for _, name := range slices.Sorted(maps.Keys(decoder.unknown)) {
			types = append(types, fmt.Sprintf("%s %d", name, decoder.unknown[name]))
		}
		fmt.Fprintf(r.notes, "not interpreted: %s\n", strings.Join(types, ", "))
	}
	for _, id := range slices.Sorted(maps.Keys(r.touched)) {
		if _, open := r.tracker.State(id); !open || !r.shows(id) {
			continue
		}
		state := "nothing was reported of it"
		if r.reported[id] {
			state = "its end is not in the file"
		}
		fmt.Fprintf(r.notes, "still in progress: call %s, %s\n", id, state)
	}
}

// warn says why these reports may differ from those that the daemon made. cut: the
// oldest events of the journal were removed.
func (r *replayer) warn(cut bool) {
	if cut && r.Call == "" {
		fmt.Fprintf(r.Err, "warning: %s: the oldest events were removed (storage.journal_keep), so calls that were in progress before the first that is left are reported less, or not at all\n", r.File)
	}
	if len(r.unbegun) > 0 {
		var calls []string
		for _, id := range slices.Sorted(maps.Keys(r.unbegun)) {
			calls = append(calls, string(id))
		}
		fmt.Fprintf(r.Err, "warning: %s: the beginning is missing of call %s: what the daemon reported of it may be more\n", r.File, strings.Join(calls, ", "))
	}
}

// writeRaw writes an event as one line.
func writeRaw(out io.Writer, raw []byte) error {
	var line bytes.Buffer
	if bytes.ContainsAny(raw, "\r\n") {
		if err := json.Compact(&line, raw); err != nil {
			return fmt.Errorf("writing an event: %w", err)
		}
	} else {
		line.Write(raw)
	}
	line.WriteByte('\n')
	_, err := line.WriteTo(out)
	return err
}
