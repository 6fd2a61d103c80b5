package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
)

// replayOptions are what the command line asks of a replay.
type replayOptions struct {
	file string
	call bridge.CallID
	// config is the configuration's path; chosen tells that somebody named it.
	config string
	chosen bool
	// asJSON: reports only, one a line. events: the events themselves.
	asJSON, events bool

	in          io.Reader
	out, stderr io.Writer
}

func replayCommand() *cobra.Command {
	var options replayOptions
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Show what comes of captured events: the reports that the CRM would get",
		Long: `replay gives events to the code that interprets them and shows the reports that
come of them. It sends nothing, asks nobody, and changes no file.

FILE is a capture (JSON events as Asterisk sent them, one a line or separated in
any other way; lines that begin with # are comments; - is standard input) or a
kontur-ari.db, also that of a daemon that runs.

Who is who is read from the configuration: its directory and calls, nothing else.
Without a file at the place where it usually is, nobody is in the directory.`,
		Example: `  kontur-ari replay /var/lib/kontur-ari/kontur-ari.db --call 1795401475.25
  kontur-ari replay kontur-ari.db --call 1795401475.25 --events > case.jsonl
  kontur-ari replay --config case.yaml --json case.jsonl > case.golden`,
		Args: cobra.ExactArgs(1),
	}
	path := configFlag(cmd)
	call := cmd.Flags().String("call", "", "the id of the only call to look at; \"kontur-ari ladder\" lists the last ones")
	cmd.Flags().BoolVar(&options.asJSON, "json", false, "write reports only, each as one line of JSON; everything else goes to standard error")
	cmd.Flags().BoolVar(&options.events, "events", false, "write the events themselves, one a line, instead of what comes of them")
	cmd.MarkFlagsMutuallyExclusive("json", "events")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		out := bufio.NewWriter(cmd.OutOrStdout())
		defer func() { err = errors.Join(err, out.Flush()) }()
		options.file, options.call, options.config = args[0], bridge.CallID(*call), *path
		options.chosen = cmd.Flags().Changed("config")
		options.in, options.out, options.stderr = cmd.InOrStdin(), out, cmd.ErrOrStderr()
		return replay(cmd.Context(), options)
	}
	return cmd
}

func replay(ctx context.Context, o replayOptions) (err error) {
	source, err := openEvents(ctx, o.file, o.in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.close()) }()
	read := &transcriber{file: o.file, complaints: o.stderr, unknown: make(map[string]int)}
	events, there, err := o.choose(ctx, source, read)
	if err != nil {
		return err
	}
	visit := func(e recorded) error { return writeRaw(o.out, e.event.Raw) }
	var t *teller
	if !o.events {
		tr, err := o.newTracker()
		if err != nil {
			return err
		}
		t = newTeller(tr, there, o)
		visit = t.tell
	}
	if err := events(visit); err != nil {
		return err
	}
	if read.events == 0 && read.unreadable == 0 {
		return fmt.Errorf("%s holds no event: name a capture, or a %s", o.file, store.FileName)
	}
	if t != nil {
		t.sum(read)
		o.warn(source.cut && o.call == "", t.headless)
	}
	return read.err()
}

// choose returns how to go through the events that are asked for, and who follows
// their channels.
func (o replayOptions) choose(ctx context.Context, source *eventFile, read *transcriber) (events func(func(recorded) error) error, there *presence, err error) {
	if o.call == "" {
		there = newPresence(func(bridge.Channel) bool { return true })
		return func(visit func(recorded) error) error {
			return source.all(ctx, func(p passage) error {
				if e, ok := read.take(p); ok {
					return visit(e)
				}
				return nil
			})
		}, there, nil
	}
	passages, err := source.around(ctx, o.call)
	if err != nil {
		return nil, nil, err
	}
	var found []recorded
	for _, p := range passages {
		if e, ok := read.take(p); ok {
			found = append(found, e)
		}
	}
	story, channels := storyOf(found, o.call)
	if len(story) == 0 {
		return nil, nil, fmt.Errorf("%s holds no event of a call %q: without --call all of its calls are shown", o.file, o.call)
	}
	read.events, read.unknown = len(story), nil
	return func(visit func(recorded) error) error {
		for _, e := range story {
			if err := visit(e); err != nil {
				return err
			}
		}
		return nil
	}, presenceOf(channels), nil
}

// warn tells why the reports may not be those that the daemon has made.
func (o replayOptions) warn(cut bool, headless map[bridge.CallID]bool) {
	if cut {
		fmt.Fprintf(o.stderr, "warning: %s: the oldest events were removed (storage.journal_keep), so calls that were in progress before the first that is left are reported less, or not at all\n", o.file)
	}
	if len(headless) > 0 {
		var calls []string
		for _, id := range slices.Sorted(maps.Keys(headless)) {
			calls = append(calls, string(id))
		}
		fmt.Fprintf(o.stderr, "warning: %s: the beginning is missing of call %s: what the daemon reported of it may be more\n", o.file, strings.Join(calls, ", "))
	}
}

// newTracker makes a Tracker for the office of the configuration.
func (o replayOptions) newTracker() (*tracker.Tracker, error) {
	cfg, err := configs.Interpretation(o.config)
	if errors.Is(err, fs.ErrNotExist) && !o.chosen {
		fmt.Fprintf(o.stderr, "warning: there is no %s, so nobody is in the directory: name the configuration with --config\n", o.config)
		cfg, err = configs.Default(), nil
	}
	if err != nil {
		return nil, err
	}
	directory, err := setup.Directory(cfg)
	if err != nil {
		return nil, err
	}
	return tracker.New(directory, tracker.Policy{ReportInternal: cfg.Calls.ReportInternal}), nil
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
