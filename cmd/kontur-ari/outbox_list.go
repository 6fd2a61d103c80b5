package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/cmd/kontur-ari/internal/casebook"
)

// listed is how many calls that wait, and how many letters, are listed when a person
// does not ask for all.
const listed = 50

// listOutbox prints what waits, by call, and the dead letters: as ladder does the
// newest first. As JSON it is every report, since a program leaves out by itself.
func listOutbox(ctx context.Context, o *outbox) error {
	if o.json {
		write := func(letter store.ReportView) error { return writeJSON(o.out, headOf(letter)) }
		if err := o.Walk(ctx, store.ReportWaiting, o.filter, write); err != nil {
			return err
		}
		return o.Walk(ctx, store.ReportDead, o.filter, write)
	}
	if err := listWaiting(ctx, o); err != nil {
		return err
	}
	return listDead(ctx, o)
}

func listWaiting(ctx context.Context, o *outbox) error {
	calls, err := o.WaitingCalls(ctx, o.filter)
	if err != nil {
		return err
	}
	reports := 0
	for _, c := range calls {
		reports += c.Reports
	}
	fmt.Fprintf(o.out, "waiting: %s of %s\n", counted(reports, "report"), counted(len(calls), "call"))
	for i := range calls {
		if i == listed && !o.all {
			fmt.Fprintf(o.out, "... and %s more, all with --all\n", counted(len(calls)-i, "call"))
			break
		}
		c := calls[len(calls)-1-i]
		fmt.Fprintf(o.out, "%s  %-24s  %d waiting, next %d %s, %s\n", c.First.Committed.Format(time.DateTime), c.First.Call, c.Reports, c.First.ID, c.First.Kind, triesOf(c.First))
	}
	return nil
}

func listDead(ctx context.Context, o *outbox) error {
	// How many there are is known at their end only, and stands above them.
	var lines strings.Builder
	count := 0
	err := o.Walk(ctx, store.ReportDead, o.filter, func(letter store.ReportView) error {
		if count++; count <= listed || o.all {
			printLetter(&lines, letter)
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "dead letters: %d\n", count)
	if count > 0 {
		fmt.Fprintf(o.out, "%7s  %-19s  %-24s  %-23s  %-18s  %4s  %s\n", "id", "refused", "call", "request", "leg", "HTTP", "reason")
	}
	if _, err := io.WriteString(o.out, lines.String()); err != nil {
		return err
	}
	if count > listed && !o.all {
		fmt.Fprintf(o.out, "... and %d more, all with --all\n", count-listed)
	}
	return nil
}

// printLetter prints a dead letter as a line of a table.
func printLetter(out io.Writer, letter store.ReportView) {
	fmt.Fprintf(out, "%7d  %s  %-24s  %-23s  %-18s  %4s  %s\n", letter.ID, letter.Settled.Format(time.DateTime), letter.Call,
		requestOf(letter), dash(string(letter.Leg)), statusOf(letter), reasonOf(letter))
}

// requestOf names the request that a letter is.
func requestOf(letter store.ReportView) string {
	if letter.Kind == bridge.ReportEvent && letter.Event != "" {
		return fmt.Sprintf("%s %s", letter.Kind, letter.Event)
	}
	return string(letter.Kind)
}

// statusOf is the HTTP status of the last try, "-" where it was not sent.
func statusOf(letter store.ReportView) string {
	if letter.Status == 0 {
		return "-"
	}
	return fmt.Sprint(letter.Status)
}

// reasonOf is a letter's reason, without the status that stands beside it.
func reasonOf(letter store.ReportView) string {
	text := casebook.OneLine(letter.Reason)
	if rest, found := strings.CutPrefix(text, fmt.Sprintf("HTTP %d", letter.Status)); found {
		text = strings.TrimLeft(rest, ": ")
	}
	return dash(text)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
