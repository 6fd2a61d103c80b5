package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// millisecondLayout writes times with milliseconds.
const millisecondLayout = "2006-01-02 15:04:05.000"

// showReport prints everything stored about a report.
func showReport(ctx context.Context, o *outbox) error {
	report, found, err := o.Find(ctx, o.ids[0])
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("nothing is stored about a report %d: \"%s\" lists what waits and the dead letters, and what was delivered is kept for storage.journal_keep", o.ids[0], o.command("list"))
	}
	if o.json {
		return writeJSON(o.out, detailsOf(report))
	}
	ofCall, err := o.OfCall(ctx, report.Call)
	if err != nil {
		return err
	}
	printHead(o, report)
	o.printBody("what was sent", report.Request)
	if len(report.Request) == 0 {
		o.printBody("the report, in our own words", report.Report)
	}
	o.printBody("what the CRM answered", report.Answer)
	fmt.Fprintf(o.out, "\nreports of the call:\n")
	if err := o.printReportsOfCall(ofCall, report.ID); err != nil {
		return err
	}
	if report.State == store.ReportDead {
		o.printChoices(report, ofCall)
	}
	return nil
}

// printReportsOfCall lists the reports of a call and marks one of them.
func (o *outbox) printReportsOfCall(ofCall []store.ReportView, marked int64) error {
	table := newColumns(untitled(column{width: 8}, timeColumn, requestColumn, column{})...)
	for _, report := range ofCall {
		mark := " "
		if report.ID == marked {
			mark = ">"
		}
		table.add(fmt.Sprintf("%s%7d", mark, report.ID), report.Committed.Format(time.DateTime), requestText(report), outcomeText(report))
	}
	return table.print(o.out)
}

// printHead prints what is known of a report itself, a line for each property.
func printHead(o *outbox, report store.ReportView) {
	fmt.Fprintf(o.out, "report %d of call %s: %s\n", report.ID, report.Call, requestText(report))
	row := func(name, value string) { fmt.Fprintf(o.out, "  %-8s  %s\n", name, value) }
	if report.Leg != "" {
		row("leg", string(report.Leg))
	}
	row("made", report.Committed.Format(millisecondLayout))
	if report.State == store.ReportDead {
		row("state", "dead letter: refused for good at "+report.Settled.Format(millisecondLayout))
	} else {
		row("state", stateText(report))
	}
	if report.State == store.ReportWaiting || report.Attempts == 0 {
		return
	}
	row("tries", fmt.Sprint(report.Attempts))
	if report.Status != 0 {
		row("status", "HTTP "+statusText(report))
	}
	if report.Reason != "" {
		row("reason", reasonText(report))
	}
}

// printBody prints a body, JSON indented; nothing for an empty one.
func (o *outbox) printBody(title string, body []byte) {
	if len(body) == 0 {
		return
	}
	var indented bytes.Buffer
	text := string(body)
	if json.Indent(&indented, body, "  ", "  ") == nil {
		text = indented.String()
	}
	fmt.Fprintf(o.out, "\n%s:\n  %s\n", title, strings.TrimSpace(printable(text)))
}

// printable removes the characters that would control a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}

// printChoices proposes commands for a dead letter.
func (o *outbox) printChoices(report store.ReportView, ofCall []store.ReportView) {
	together := []int64{report.ID}
	var earlier []int64
	for _, other := range ofCall {
		if other.State == store.ReportDead && other.ID < report.ID {
			earlier = append(earlier, other.ID)
		}
	}
	again := "sends it again"
	if len(earlier) > 0 {
		together = append(earlier, report.ID)
		again = "sends it again, after the dead letters of its call that come before it"
	}
	fmt.Fprint(o.out, "\n")
	for _, other := range ofCall {
		if other.Kind == bridge.ReportRegister && other.State == store.ReportDelivered {
			fmt.Fprintf(o.out, "The CRM has taken the register-call of this call, which tells the whole of it:\nwhat is sent again now comes after that, and may be of no use any more.\n\n")
		}
	}
	fmt.Fprintf(o.out, "what to do:\n  %s\n      %s\n  %s\n      forgets it for good\n", o.command("retry", together...), again, o.command("drop", report.ID))
}
