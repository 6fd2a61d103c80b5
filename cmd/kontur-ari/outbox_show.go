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
	"kontur-ari/cmd/kontur-ari/internal/casebook"
)

// momentTime is how moments are written where milliseconds count.
const momentTime = "2006-01-02 15:04:05.000"

// showLetter prints all that is known of a report.
func showLetter(ctx context.Context, o *outbox) error {
	letter, found, err := o.Find(ctx, o.ids[0])
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("nothing is stored about a report %d: \"%s\" lists what waits and the dead letters, and what was delivered is kept for storage.journal_keep", o.ids[0], o.command("list"))
	}
	if o.json {
		return writeJSON(o.out, wholeOf(letter))
	}
	ofCall, err := o.OfCall(ctx, letter.Call)
	if err != nil {
		return err
	}
	printHead(o, letter)
	o.printBody("what was sent", letter.Request)
	if len(letter.Request) == 0 {
		o.printBody("the report, in our own words", letter.Report)
	}
	o.printBody("what the CRM answered", letter.Answer)
	fmt.Fprintf(o.out, "\nreports of the call:\n")
	for _, other := range ofCall {
		mark := " "
		if other.ID == letter.ID {
			mark = ">"
		}
		fmt.Fprintf(o.out, "%s%7d  %s  %-23s  %s\n", mark, other.ID, other.Committed.Format(time.DateTime), requestOf(other), outcomeOf(other))
	}
	if letter.State == store.ReportDead {
		o.printChoices(letter, ofCall)
	}
	return nil
}

func printHead(o *outbox, letter store.ReportView) {
	fmt.Fprintf(o.out, "report %d of call %s: %s\n", letter.ID, letter.Call, requestOf(letter))
	row := func(name, value string) { fmt.Fprintf(o.out, "  %-8s  %s\n", name, value) }
	if letter.Leg != "" {
		row("leg", string(letter.Leg))
	}
	row("made", letter.Committed.Format(momentTime))
	if letter.State == store.ReportDead {
		row("state", "dead letter: refused for good at "+letter.Settled.Format(momentTime))
	} else {
		row("state", becameOf(letter))
	}
	if letter.State == store.ReportWaiting || letter.Attempts == 0 {
		return
	}
	row("tries", fmt.Sprint(letter.Attempts))
	if letter.Status != 0 {
		row("status", "HTTP "+statusOf(letter))
	}
	if letter.Reason != "" {
		row("reason", reasonOf(letter))
	}
}

// outcomeOf says in a line what has become of one of the reports of a call.
func outcomeOf(letter store.ReportView) string {
	switch letter.State {
	case store.ReportDead:
		return "dead letter: " + dash(casebook.OneLine(letter.Reason))
	case store.ReportWaiting:
		return "waits, " + triesOf(letter)
	}
	return string(letter.State)
}

// printBody prints a body for a person's eyes.
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

// printable is a text without what would steer a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}

// printChoices says what can be done about a dead letter.
func (o *outbox) printChoices(letter store.ReportView, ofCall []store.ReportView) {
	together := []int64{letter.ID}
	var earlier []int64
	for _, other := range ofCall {
		if other.State == store.ReportDead && other.ID < letter.ID {
			earlier = append(earlier, other.ID)
		}
	}
	again := "sends it again"
	if len(earlier) > 0 {
		together = append(earlier, letter.ID)
		again = "sends it again, after the dead letters of its call that come before it"
	}
	fmt.Fprint(o.out, "\n")
	for _, other := range ofCall {
		if other.Kind == bridge.ReportRegister && other.State == store.ReportDelivered {
			fmt.Fprintf(o.out, "The CRM has taken the register-call of this call, which tells the whole of it:\nwhat is sent again now comes after that, and may be of no use any more.\n\n")
		}
	}
	fmt.Fprintf(o.out, "what to do:\n  %s\n      %s\n  %s\n      forgets it for good\n", o.command("retry", together...), again, o.command("drop", letter.ID))
}
