package main

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/configs"
)

func outboxCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "outbox",
		Short: "Show what waits for the CRM and what it has refused, and decide what becomes of the latter",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("outbox: say list, show ID, retry ID..., drop ID... or export")
		},
	}
	list := outboxVerb("list", "List the calls that wait for the CRM, and the dead letters: what it has refused for good", cobra.NoArgs, store.ReadReports, listOutbox)
	list.chooses("list them all, not only the newest")
	show := outboxVerb("show ID", "Show all that is known of a report, whatever became of it", cobra.ExactArgs(1), store.ReadReports, showReport)
	show.writesJSON()
	retry := outboxVerb("retry ID...", "Send dead letters again, in the order of their calls", cobra.ArbitraryArgs, store.OpenReports, retryDeadLetters)
	retry.chooses("all dead letters, or those that the other flags choose")
	drop := outboxVerb("drop ID...", "Remove dead letters for good, and print what is removed", cobra.ArbitraryArgs, store.OpenReports, dropDeadLetters)
	drop.chooses("all dead letters, or those that the other flags choose")
	export := outboxVerb("export", "Write the dead letters as lines of JSON, with request and answer", cobra.NoArgs, store.ReadReports, exportDeadLetters)
	export.filters()
	export.writesJSON() // as it does anyway
	for _, verb := range []*outboxVerbCommand{list, show, retry, drop, export} {
		cmd.AddCommand(verb.Command)
	}
	return cmd
}

// outbox is the open outbox, with the dead letters, for one command.
type outbox struct {
	*store.Reports
	out, err io.Writer
	// ids are the reports named on the command line, sorted.
	ids    []int64
	filter store.ReportFilter
	// all is the flag --all.
	all, json bool
	// config is " --config FILE" where the flag was given, for the commands proposed.
	config string
}

// outboxVerbCommand is an outbox command with the values of its flags.
type outboxVerbCommand struct {
	*cobra.Command
	call, reason, since *string
	all, json           *bool
}

// outboxVerb makes a command that works on the store's file, whether or not the daemon
// is running.
func outboxVerb(use, short string, args cobra.PositionalArgs, open func(context.Context, string) (*store.Reports, error), act func(context.Context, *outbox) error) *outboxVerbCommand {
	verb := &outboxVerbCommand{Command: &cobra.Command{Use: use, Short: short, Args: args}, call: new(string), reason: new(string), since: new(string), all: new(bool), json: new(bool)}
	path := configFlag(verb.Command)
	verb.RunE = func(cmd *cobra.Command, args []string) (err error) {
		o := &outbox{out: cmd.OutOrStdout(), err: cmd.ErrOrStderr(), all: *verb.all, json: *verb.json}
		if o.ids, err = reportIDs(args); err != nil {
			return err
		}
		if o.filter, err = verb.filter(time.Now()); err != nil {
			return err
		}
		if cmd.Flags().Changed("config") {
			o.config = " --config " + *path
		}
		directory, err := configs.StorageDirectory(*path)
		if err != nil {
			return err
		}
		if o.Reports, err = open(cmd.Context(), directory); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.Close()) }()
		return act(cmd.Context(), o)
	}
	return verb
}

// filters adds the flags that choose reports.
func (verb *outboxVerbCommand) filters() {
	verb.call = verb.Flags().String("call", "", "only those of this call")
	verb.reason = verb.Flags().String("reason", "", "only those whose reason holds this text, in capitals or small")
	verb.since = verb.Flags().String("since", "", "only those refused (or, while they wait, made) since: 2h, 2026-11-23, \"2026-11-23 10:38:35\", or RFC 3339")
}

// chooses adds the flags that choose reports, and --json.
func (verb *outboxVerbCommand) chooses(all string) {
	verb.filters()
	verb.writesJSON()
	verb.all = verb.Flags().Bool("all", false, all)
}

func (verb *outboxVerbCommand) writesJSON() {
	verb.json = verb.Flags().Bool("json", false, "write lines of JSON, one for each report")
}

func (verb *outboxVerbCommand) filter(now time.Time) (store.ReportFilter, error) {
	since, err := parseSince(*verb.since, now)
	return store.ReportFilter{Call: bridge.CallID(*verb.call), Reason: *verb.reason, Since: since}, err
}

// command is an outbox command as an operator types it.
func (o *outbox) command(verb string, ids ...int64) string {
	text := "kontur-ari outbox " + verb + o.config
	for _, id := range ids {
		text += " " + strconv.FormatInt(id, 10)
	}
	return text
}
