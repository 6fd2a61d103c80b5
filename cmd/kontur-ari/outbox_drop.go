package main

import (
	"context"
	"fmt"
	"slices"

	"kontur-ari/bridge/store"
)

// dropChunk is how many dead letters are printed, and then removed, at a time.
const dropChunk = 500

// dropDeadLetters prints dead letters and removes them, chunk by chunk. A chunk that
// can't be printed is not removed.
func dropDeadLetters(ctx context.Context, o *outbox) error {
	ids, err := o.chosen(ctx, "drop")
	if err != nil {
		return err
	}
	dropped := 0
	for page := range slices.Chunk(ids, dropChunk) {
		if err := o.printDropped(ctx, page); err != nil {
			return err
		}
		gone, err := o.Drop(ctx, page)
		dropped += len(gone)
		if err != nil {
			return fmt.Errorf("after %d of %d: %w", dropped, len(ids), err)
		}
	}
	if !o.json {
		fmt.Fprintf(o.out, "%s dropped\n", counted(dropped, "dead letter"))
	}
	if dropped < len(ids) {
		return fmt.Errorf("%s changed meanwhile, and left alone, though printed above", counted(len(ids)-dropped, "dead letter"))
	}
	return nil
}

// printDropped prints the dead letters that are about to be removed.
func (o *outbox) printDropped(ctx context.Context, ids []int64) error {
	table := newColumns(untitled(idColumn, callColumn, requestColumn, statusColumn, column{})...)
	err := o.Whole(ctx, ids, func(report store.ReportView) error {
		if o.json {
			return writeJSON(o.out, detailsOf(report))
		}
		table.add(report.ID, report.Call, requestText(report), statusText(report), reasonText(report))
		return nil
	})
	if err != nil {
		return err
	}
	return table.print(o.out)
}
