package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/cmd/kontur-ari/internal/casebook"
	"kontur-ari/configs"
)

func recordingsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recordings",
		Short: "Show what has become of recordings, and have those tried again that were given up",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("recordings: say list or retry ID")
		},
	}
	cmd.AddCommand(
		recordingsVerb("list", "List the recordings that the CRM does not have, and why", "list them all, those that the CRM has included", cobra.NoArgs, store.ReadRecordings, listRecordings),
		recordingsVerb("retry ID...", "Have recordings looked at and uploaded again", "all that were given up or wait for their next try, or those of them that the other flags choose", cobra.ArbitraryArgs, store.OpenRecordings, retryRecordings),
	)
	return cmd
}

// recordingList is the open list of recordings, for one command.
type recordingList struct {
	*store.Recordings
	out       io.Writer
	ids       []int64
	filter    store.RecordingFilter
	all, json bool
	// config is " --config FILE" where the flag was given, for the commands proposed.
	config string
}

// recordingStates are all states, in the order in which they follow each other.
var recordingStates = []bridge.RecordingState{
	bridge.RecordingSought, bridge.RecordingSettling, bridge.RecordingReady, bridge.RecordingUploaded,
	bridge.RecordingAnnounced, bridge.RecordingRefused, bridge.RecordingEmpty, bridge.RecordingMissing,
}

// recordingsVerb makes a command that works on the store's file, whether or not the
// daemon is running.
func recordingsVerb(use, short, all string, args cobra.PositionalArgs, open func(context.Context, string) (*store.Recordings, error), act func(context.Context, *recordingList) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: args}
	path := configFlag(cmd)
	call := cmd.Flags().String("call", "", "only those of this call")
	state := cmd.Flags().String("state", "", "only those in this state: sought, settling, ready, uploaded, told, refused, empty or missing")
	since := cmd.Flags().String("since", "", "only those made since: 2h, 2026-11-23, \"2026-11-23 10:38:35\", or RFC 3339")
	everything := cmd.Flags().Bool("all", false, all)
	asJSON := cmd.Flags().Bool("json", false, "write lines of JSON, one for each recording")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		r := &recordingList{out: cmd.OutOrStdout(), all: *everything, json: *asJSON}
		if r.ids, err = recordingIDs(args); err != nil {
			return err
		}
		r.filter = store.RecordingFilter{Call: bridge.CallID(*call), State: bridge.RecordingState(*state)}
		if r.filter.State != "" && !slices.Contains(recordingStates, r.filter.State) {
			return fmt.Errorf("--state %q: there is no such state: say one of %s", *state, strings.Trim(fmt.Sprint(recordingStates), "[]"))
		}
		if r.filter.Since, err = parseSince(*since, time.Now()); err != nil {
			return err
		}
		if cmd.Flags().Changed("config") {
			r.config = " --config " + *path
		}
		directory, err := configs.StorageDirectory(*path)
		if err != nil {
			return err
		}
		if r.Recordings, err = open(cmd.Context(), directory); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.Close()) }()
		return act(cmd.Context(), r)
	}
	return cmd
}

// recordingIDs parses ids as reportIDs does.
func recordingIDs(args []string) ([]int64, error) {
	ids, err := reportIDs(args)
	if err != nil {
		return nil, fmt.Errorf("%q is not the id of a recording: say a number, such as \"kontur-ari recordings list\" shows them", strings.Join(args, " "))
	}
	return ids, nil
}

// listRecordings prints recordings, the newest first. Without --all or --state it omits
// those that the CRM has.
func listRecordings(ctx context.Context, r *recordingList) error {
	counts := make(map[bridge.RecordingState]int)
	made := timeColumn
	made.title = "made"
	table := newColumns(idColumn, made, column{title: "state", width: 8}, callColumn,
		column{title: "bytes", width: 10, right: true}, column{title: "file", width: 40}, column{title: "reason"})
	shown, left := 0, 0
	err := r.Walk(ctx, r.filter, func(entry store.RecordingEntry) error {
		counts[entry.State]++
		switch chosen := r.all || r.filter.State != "" || entry.State != bridge.RecordingAnnounced; {
		case r.json && chosen:
			return writeJSON(r.out, recordingLine(entry))
		case chosen && (shown < mostListed || r.all):
			shown++
			addRecording(table, entry)
		case chosen:
			left++
		}
		return nil
	})
	if err != nil || r.json {
		return err
	}
	fmt.Fprintf(r.out, "recordings: %s\n", countedStates(counts))
	if err := table.print(r.out); err != nil {
		return err
	}
	if left > 0 {
		fmt.Fprintf(r.out, "... and %d more, all with --all\n", left)
	}
	return nil
}

// countedStates is the number of recordings in each state that has any.
func countedStates(counts map[bridge.RecordingState]int) string {
	var parts []string
	for _, state := range recordingStates {
		if counts[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// addRecording adds a recording to the table of listRecordings.
func addRecording(table *columns, entry store.RecordingEntry) {
	size := "-"
	if entry.Size > 0 {
		size = fmt.Sprint(entry.Size)
	}
	table.add(entry.ID, entry.Made.Local().Format(time.DateTime), entry.State, entry.Recorded.Call, size,
		orDash(casebook.OneLine(entry.File.Name)), recordingReason(entry))
}

// recordingReason says why a recording is in its state.
func recordingReason(entry store.RecordingEntry) string {
	reason := casebook.OneLine(entry.Reason)
	switch {
	case entry.State == bridge.RecordingReady && entry.Attempts > 0:
		return fmt.Sprintf("tried %s: %s; again at %s", counted(entry.Attempts, "time"), reason, entry.Due.Local().Format(time.TimeOnly))
	case entry.State == bridge.RecordingUploaded:
		return fmt.Sprintf("its call-recording waits in the outbox as report %d", entry.Report)
	case entry.State == bridge.RecordingRefused && entry.Report != 0:
		return fmt.Sprintf("%s (dead letter %d)", reason, entry.Report)
	case !entry.Removed.IsZero():
		return "its file was removed at " + entry.Removed.Local().Format(time.DateTime)
	}
	return orDash(reason)
}
