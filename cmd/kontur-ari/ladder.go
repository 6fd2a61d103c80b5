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

	"kontur-ari/ari"
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

// rung is one line of a ladder.
type rung struct {
	at   time.Time
	text string
}

func printLadder(ctx context.Context, history *store.History, call bridge.CallID, out io.Writer) error {
	events, err := history.Events(ctx, call)
	if err != nil {
		return err
	}
	deliveries, err := history.Deliveries(ctx, call)
	if err != nil {
		return err
	}
	if len(events) == 0 && len(deliveries) == 0 {
		return fmt.Errorf("nothing is stored about a call %q: \"kontur-ari ladder\" lists the last calls", call)
	}
	var rungs []rung
	for _, e := range events {
		rungs = append(rungs, rung{e.Received, "Asterisk  " + eventText(e.Raw)})
	}
	for _, d := range deliveries {
		if d.Waits {
			rungs = append(rungs, rung{d.Committed, "  waiting  " + waitingText(d)})
			continue
		}
		rungs = append(rungs, rung{d.Settled, "  CRM <-   " + requestText(d)}, rung{d.Settled, "  CRM ->   " + answerText(d)})
	}
	slices.SortStableFunc(rungs, func(a, b rung) int { return a.at.Compare(b.at) })
	for _, r := range rungs {
		fmt.Fprintf(out, "%s  %s\n", r.at.Format("15:04:05.000"), r.text)
	}
	return nil
}

func eventText(raw []byte) string {
	event, err := ari.Decode(raw)
	if err != nil {
		return "unreadable: " + err.Error()
	}
	parts := []string{string(event.Type)}
	if event.Caller != nil {
		parts = append(parts, event.Caller.Name, "->")
	}
	if event.Peer != nil {
		parts = append(parts, event.Peer.Name, event.DialString, event.DialStatus)
	}
	if ch := event.Channel; ch != nil {
		parts = append(parts, ch.Name, string(ch.State))
		if event.Type == bridge.EventChannelCreated {
			parts = append(parts, ch.CallerNumber, "->", ch.Exten)
		}
	}
	if event.Room != nil {
		parts = append(parts, "bridge", event.Room.ID)
	}
	if event.Type == bridge.EventChannelDestroyed {
		parts = append(parts, fmt.Sprintf("cause %d", event.Cause))
	}
	if event.Snapshot != nil {
		parts = append(parts, fmt.Sprintf("%d channels, %d bridges", len(event.Snapshot.Channels), len(event.Snapshot.Rooms)))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
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
