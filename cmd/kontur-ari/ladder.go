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
	for _, c := range calls {
		fmt.Fprintf(out, "%s  %-24s  %d delivered, %d waiting, %d refused\n", c.First.Format(time.DateTime), c.Call, c.Requests, c.Waiting, c.Refused)
	}
	return nil
}

// rungTime is how the time at the beginning of a rung is written.
const rungTime = "15:04:05.000"

// rung is one line of a ladder.
type rung struct {
	at   time.Time
	text string
}

func printLadder(ctx context.Context, history *store.History, call bridge.CallID, out io.Writer) error {
	passages, err := readAround(ctx, history, call)
	if err != nil {
		return err
	}
	rungs := switchRungs(passages, call)
	deliveries, err := history.Deliveries(ctx, call)
	if err != nil {
		return err
	}
	if len(rungs) == 0 && len(deliveries) == 0 {
		return fmt.Errorf("nothing is stored about a call %q: \"kontur-ari ladder\" lists the last calls", call)
	}
	for _, d := range deliveries {
		switch {
		case d.Waits:
			rungs = append(rungs, rung{d.Committed, "  waiting  " + waitingText(d)})
			continue
		case d.LeftOut:
			rungs = append(rungs, rung{d.Settled, fmt.Sprintf("  left out %s: the call was over before the CRM could be told", d.Kind)})
			continue
		}
		rungs = append(rungs, rung{d.Settled, "  CRM <-   " + requestText(d)}, rung{d.Settled, "  CRM ->   " + answerText(d)})
	}
	slices.SortStableFunc(rungs, func(a, b rung) int { return a.at.Compare(b.at) })
	for _, r := range rungs {
		fmt.Fprintf(out, "%s  %s\n", r.at.Format(rungTime), r.text)
	}
	return nil
}

// switchRungs is what Asterisk said about a call, and did not say.
func switchRungs(passages []passage, call bridge.CallID) (rungs []rung) {
	story, channels := storyOf(legible(passages), call)
	there := presenceOf(channels)
	for _, e := range story {
		rungs = append(rungs, rung{e.received, heardText(e.event)})
		if gone := there.follow(e.event); gone != "" {
			rungs = append(rungs, rung{e.received, "  gone     " + gone})
		}
	}
	for _, p := range passages {
		if _, err := decode(p.raw, p.received); err != nil && p.call == call {
			rungs = append(rungs, rung{p.received, "Asterisk  unreadable: " + err.Error()})
		}
	}
	return rungs
}

func requestText(d store.Delivery) string {
	return fmt.Sprintf("%s %s", d.Kind, d.Request)
}

func answerText(d store.Delivery) string {
	text := fmt.Sprintf("%d %s", d.Status, oneLine(d.Answer))
	if d.Attempts > 1 {
		text += fmt.Sprintf(" (attempt %d)", d.Attempts)
	}
	if d.Reason != "" {
		text += " refused for good: " + d.Reason
	}
	return text
}

// waitingText says what the CRM has not been told yet, and why.
func waitingText(d store.Delivery) string {
	if d.Attempts == 0 {
		return fmt.Sprintf("%s, not tried yet", d.Kind)
	}
	return fmt.Sprintf("%s, tried %d times: %s", d.Kind, d.Attempts, d.Reason)
}

// oneLine shortens an answer for a person's eyes.
func oneLine(body []byte) string {
	const longest = 160
	text := strings.Join(strings.Fields(string(body)), " ")
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "..."
	}
	return text
}
