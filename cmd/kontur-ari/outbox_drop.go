package main

import (
	"context"
	"fmt"
	"slices"

	"kontur-ari/bridge/store"
)

// droppedTogether is how many letters are printed before they are removed.
const droppedTogether = 500

// dropLetters removes dead letters, a few at a time, each after it was printed: what
// can't be printed stays.
func dropLetters(ctx context.Context, o *outbox) error {
	ids, err := o.chosen(ctx, "drop")
	if err != nil {
		return err
	}
	dropped := 0
	for page := range slices.Chunk(ids, droppedTogether) {
		printed := func(letter store.ReportView) error {
			if o.json {
				return writeJSON(o.out, wholeOf(letter))
			}
			_, err := fmt.Fprintf(o.out, "%7d  %-24s  %-23s  %4s  %s\n", letter.ID, letter.Call, requestOf(letter), statusOf(letter), reasonOf(letter))
			return err
		}
		if err := o.Whole(ctx, page, printed); err != nil {
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
