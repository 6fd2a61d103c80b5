package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// Whatever part of the file is destroyed: the store opens, what is left is what was
// there, and no id comes twice.
func TestAnyDamageCostsOnlyWhatItHits(t *testing.T) {
	const count = 150
	directory := filled(t, count)
	whole, err := os.ReadFile(filepath.Join(directory, store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	before := reports(t, directory)
	pages := len(whole) / 4096
	rapid.Check(t, func(rt *rapid.T) {
		content := append([]byte(nil), whole...)
		garbage := rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(rt, "garbage")
		for _, page := range rapid.SliceOfNDistinct(rapid.IntRange(0, pages-1), 0, 4, rapid.ID[int]).Draw(rt, "pages") {
			for i := range 4096 {
				content[page*4096+i] = garbage[i%len(garbage)]
			}
		}
		content = content[:rapid.SampledFrom([]int{len(content), len(content), rapid.IntRange(1, len(content)).Draw(rt, "length")}).Draw(rt, "cut")]
		damaged, err := os.MkdirTemp(directory, "damaged")
		if err == nil {
			err = os.WriteFile(filepath.Join(damaged, store.FileName), content, 0o600)
		}
		if err != nil {
			rt.Fatal(err)
		}
		s, err := store.Open(t.Context(), damaged)
		if err != nil {
			rt.Fatalf("opening: %v", err)
		}
		defer func() {
			if err := errors.Join(s.Close(), os.RemoveAll(damaged)); err != nil {
				rt.Error(err)
			}
		}()
		if s, err = inspected(t, s, damaged); err != nil {
			rt.Fatal(err)
		}
		for id, report := range reportsIn(rt, s) {
			if before[id] != report {
				rt.Fatalf("report %d is %s, was %s", id, report, before[id])
			}
		}
		added := commitAfterDamage(rt, s)
		if added <= count {
			rt.Fatalf("a new report has the id %d of another", added)
		}
	})
}

// inspected returns a store without damage: it opens the store again if the inspection finds
// damage.
func inspected(t *testing.T, s *store.Store, directory string) (*store.Store, error) {
	err := s.Inspect(t.Context())
	if !errors.Is(err, bridge.ErrStoreDamaged) {
		return s, err
	}
	if err := s.Close(); err != nil {
		return s, err
	}
	again, err := store.Open(t.Context(), directory)
	if err != nil {
		return s, err
	}
	if len(again.Rescued()) != 1 {
		return again, fmt.Errorf("the inspection said %w; the next start found %+v", err, again.Rescued())
	}
	return again, again.Inspect(t.Context())
}

func commitAfterDamage(t *rapid.T, s *store.Store) (id int64) {
	pending, err := s.Commit(context.Background(), bridge.Batch{Reports: []bridge.Report{report("new", bridge.ReportStarted)}})
	if err != nil {
		t.Fatalf("committing: %v", err)
	}
	return pending[0].ID
}
