package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/cmd/kontur-ari/internal/casebook"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
)

func replayCommand() *cobra.Command {
	var options casebook.ReplayOptions
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
	cmd.Flags().BoolVar(&options.JSON, "json", false, "write reports only, each as one line of JSON; everything else goes to standard error")
	cmd.Flags().BoolVar(&options.Events, "events", false, "write the events themselves, one a line, instead of what comes of them")
	cmd.MarkFlagsMutuallyExclusive("json", "events")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		out := bufio.NewWriter(cmd.OutOrStdout())
		defer func() { err = errors.Join(err, out.Flush()) }()
		options.File, options.Call = args[0], bridge.CallID(*call)
		options.Out, options.Err = out, cmd.ErrOrStderr()
		options.NewTracker = func() (*tracker.Tracker, error) {
			return replayTracker(*path, cmd.Flags().Changed("config"), cmd.ErrOrStderr())
		}
		source, err := casebook.OpenSource(cmd.Context(), options.File, cmd.InOrStdin())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, source.Close()) }()
		return casebook.Replay(cmd.Context(), source, options)
	}
	return cmd
}

// replayTracker makes a Tracker with the directory of a configuration. A missing file
// is an error only if it was named on the command line; otherwise it is a warning.
func replayTracker(path string, named bool, warnings io.Writer) (*tracker.Tracker, error) {
	cfg, err := configs.Interpretation(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		fmt.Fprintf(warnings, "warning: there is no %s, so nobody is in the directory: name the configuration with --config\n", path)
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
