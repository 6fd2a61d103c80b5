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

// told is how many of many letters a person is told one by one.
const told = 20

// retryLetters puts dead letters back. Of letters that were named it is all or none;
// of those that were chosen by --all, as many as the order of their calls lets.
func retryLetters(ctx context.Context, o *outbox) error {
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
	ready := lettersIDs(plan.Ready)
	returned, err := o.Retry(ctx, ready)
	if tellErr := o.tellReturned(plan, returned); tellErr != nil || err != nil {
		return errors.Join(err, tellErr)
	}
	if missed := len(ready) - len(returned); missed > 0 {
		err = fmt.Errorf("%s changed meanwhile, and left alone: look again with \"%s\"", counted(missed, "dead letter"), o.command("list"))
	}
	if len(plan.Blocked) > 0 {
		return errors.Join(o.leftAlone(plan.Blocked), err)
	}
	return err
}

// tellReturned says what was put back and, to a program, what was not.
func (o *outbox) tellReturned(plan store.RetryPlan, returned []int64) error {
	o.warnOfUnstarted(plan.Unstarted)
	back := slices.DeleteFunc(slices.Clone(plan.Ready), func(letter store.ReportView) bool {
		_, found := slices.BinarySearch(returned, letter.ID)
		return !found
	})
	if o.json {
		return o.writeReturned(back, plan.Blocked)
	}
	calls := make(map[bridge.CallID]bool)
	for i, letter := range back {
		calls[letter.Call] = true
		if i < told {
			fmt.Fprintf(o.out, "%7d  %-24s  %s\n", letter.ID, letter.Call, requestOf(letter))
		}
	}
	if len(back) > told {
		fmt.Fprintf(o.out, "... and %d more\n", len(back)-told)
	}
	_, err := fmt.Fprintf(o.out, "%s of %s to be sent again, by the service as soon as it can; \"%s\" tells how that went\n",
		counted(len(back), "dead letter"), counted(len(calls), "call"), o.command("show ID"))
	return err
}

func (o *outbox) writeReturned(back []store.ReportView, behind []store.BlockedReport) error {
	for _, letter := range back {
		head := headOf(letter)
		head.State, head.Returned = store.ReportWaiting, true
		head.Settled, head.Attempts, head.Status, head.Reason = time.Time{}, 0, 0, ""
		if err := writeJSON(o.out, head); err != nil {
			return err
		}
	}
	for _, b := range behind {
		head := headOf(b.Report)
		head.After = lettersIDs(b.Earlier)
		if err := writeJSON(o.out, head); err != nil {
			return err
		}
	}
	return nil
}

func (o *outbox) warnOfUnstarted(calls []bridge.CallID) {
	for i, call := range calls {
		if i == told {
			fmt.Fprintf(o.err, "... and %s more\n", counted(len(calls)-told, "call"))
			break
		}
		fmt.Fprintf(o.err, "warning: nothing shows that the CRM ever took the call-started of call %s, so it may refuse the rest again\n", call)
	}
}
