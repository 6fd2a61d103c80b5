package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// mostNamed is how many reports, calls or recordings a command names one by one.
const mostNamed = 20

// retryDeadLetters puts dead letters back into the outbox. Named ones are put back all
// or none. Of those chosen by --all, it skips those that earlier ones block.
func retryDeadLetters(ctx context.Context, o *outbox) error {
	ids, err := o.chosen(ctx, "retry")
	if err != nil {
		return err
	}
	plan, err := o.PlanRetry(ctx, ids)
	if err != nil {
		return err
	}
	if len(o.ids) > 0 && len(plan.Blocked) > 0 {
		return o.refusal(plan.Blocked)
	}
	ready := idsOf(plan.Ready)
	returned, err := o.Retry(ctx, ready)
	if printErr := o.printReturned(plan, returned); printErr != nil || err != nil {
		return errors.Join(err, printErr)
	}
	if missed := len(ready) - len(returned); missed > 0 {
		err = fmt.Errorf("%s changed meanwhile, and left alone: look again with \"%s\"", counted(missed, "dead letter"), o.command("list"))
	}
	if len(plan.Blocked) > 0 {
		return errors.Join(o.leftAlone(plan.Blocked), err)
	}
	return err
}

// printReturned prints what was put back. As JSON it also prints what was not.
func (o *outbox) printReturned(plan store.RetryPlan, returned []int64) error {
	o.warnOfUnstarted(plan.Unstarted)
	back := slices.DeleteFunc(slices.Clone(plan.Ready), func(report store.ReportView) bool {
		_, found := slices.BinarySearch(returned, report.ID)
		return !found
	})
	if o.json {
		return o.writeReturned(back, plan.Blocked)
	}
	calls := make(map[bridge.CallID]bool)
	table := newColumns(untitled(idColumn, callColumn, column{})...)
	for i, report := range back {
		calls[report.Call] = true
		if i < mostNamed {
			table.add(report.ID, report.Call, requestText(report))
		}
	}
	if err := table.print(o.out); err != nil {
		return err
	}
	if len(back) > mostNamed {
		fmt.Fprintf(o.out, "... and %d more\n", len(back)-mostNamed)
	}
	_, err := fmt.Fprintf(o.out, "%s of %s to be sent again, by the service as soon as it can; \"%s\" tells how that went\n",
		counted(len(back), "dead letter"), counted(len(calls), "call"), o.command("show ID"))
	return err
}

// writeReturned writes as JSON what was put back and what is blocked.
func (o *outbox) writeReturned(back []store.ReportView, behind []store.BlockedReport) error {
	for _, report := range back {
		summary := summaryOf(report)
		summary.State, summary.Returned = store.ReportWaiting, true
		summary.Settled, summary.Attempts, summary.Status, summary.Reason = time.Time{}, 0, 0, ""
		if err := writeJSON(o.out, summary); err != nil {
			return err
		}
	}
	for _, b := range behind {
		summary := summaryOf(b.Report)
		summary.After = idsOf(b.Earlier)
		if err := writeJSON(o.out, summary); err != nil {
			return err
		}
	}
	return nil
}

// warnOfUnstarted names calls whose call-started the CRM may never have accepted.
func (o *outbox) warnOfUnstarted(calls []bridge.CallID) {
	for i, call := range calls {
		if i == mostNamed {
			fmt.Fprintf(o.err, "... and %s more\n", counted(len(calls)-mostNamed, "call"))
			break
		}
		fmt.Fprintf(o.err, "warning: nothing shows that the CRM ever took the call-started of call %s, so it may refuse the rest again\n", call)
	}
}
