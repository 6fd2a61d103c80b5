package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/cmd/kontur-ari/internal/casebook"
	"kontur-ari/configs"
)

// lastCalls is how many calls the ladder command lists when none is named.
const lastCalls = 20

func ladderCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ladder [CALL]",
		Short: "Show what Asterisk said about a call, what the CRM was told and what it answered; without CALL, the last calls",
		Args:  cobra.MaximumNArgs(1),
	}
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		directory, err := configs.StorageDirectory(*path)
		if err != nil {
			return err
		}
		history, err := store.OpenHistory(cmd.Context(), directory)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, history.Close()) }()
		if len(args) == 0 {
			return listCalls(cmd.Context(), history, cmd.OutOrStdout())
		}
		return printLadder(cmd.Context(), history, bridge.CallID(args[0]), cmd.OutOrStdout())
	}
	return cmd
}

func listCalls(ctx context.Context, history *store.History, out io.Writer) error {
	calls, err := history.Calls(ctx, lastCalls)
	if err != nil {
		return err
	}
	table := newColumns(untitled(timeColumn, callColumn, column{})...)
	for _, c := range calls {
		table.add(c.First.Format(time.DateTime), c.Call, fmt.Sprintf("%d delivered, %d waiting, %d refused", c.Requests, c.Waiting, c.Refused))
	}
	return table.print(out)
}

func printLadder(ctx context.Context, history *store.History, call bridge.CallID, out io.Writer) error {
	passages, err := casebook.ReadAround(ctx, history, call)
	if err != nil {
		return err
	}
	deliveries, err := history.Deliveries(ctx, call)
	if err != nil {
		return err
	}
	rungs := casebook.Ladder(passages, deliveries, call)
	if len(rungs) == 0 {
		return fmt.Errorf("nothing is stored about a call %q: \"kontur-ari ladder\" lists the last calls", call)
	}
	for _, rung := range rungs {
		fmt.Fprintln(out, rung)
	}
	return nil
}
