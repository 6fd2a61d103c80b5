package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kontur-ari/bridge/store"
)

// mostListed is how many calls, dead letters or recordings a list shows without --all.
const mostListed = 50

// listOutbox prints the waiting calls and the dead letters, the newest first. As JSON
// it writes all reports, since a program can filter by itself.
func listOutbox(ctx context.Context, o *outbox) error {
	if o.json {
		write := func(report store.ReportView) error { return writeJSON(o.out, summaryOf(report)) }
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
	slices.Reverse(calls)
	shown := calls
	if len(calls) > mostListed && !o.all {
		shown = calls[:mostListed]
	}
	table := newColumns(untitled(timeColumn, callColumn, column{})...)
	for _, c := range shown {
		table.add(c.First.Committed.Format(time.DateTime), c.First.Call,
			fmt.Sprintf("%d waiting, next %d %s, %s", c.Reports, c.First.ID, c.First.Kind, attemptsText(c.First)))
	}
	if err := table.print(o.out); err != nil {
		return err
	}
	if left := len(calls) - len(shown); left > 0 {
		fmt.Fprintf(o.out, "... and %s more, all with --all\n", counted(left, "call"))
	}
	return nil
}

func listDead(ctx context.Context, o *outbox) error {
	refused := timeColumn
	refused.title = "refused"
	table := newColumns(idColumn, refused, callColumn, requestColumn, column{title: "leg", width: 18}, statusColumn, column{title: "reason"})
	count := 0
	err := o.Walk(ctx, store.ReportDead, o.filter, func(report store.ReportView) error {
		if count++; count <= mostListed || o.all {
			table.add(report.ID, report.Settled.Format(time.DateTime), report.Call,
				requestText(report), orDash(string(report.Leg)), statusText(report), reasonText(report))
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "dead letters: %d\n", count)
	if err := table.print(o.out); err != nil {
		return err
	}
	if count > mostListed && !o.all {
		fmt.Fprintf(o.out, "... and %d more, all with --all\n", count-mostListed)
	}
	return nil
}
