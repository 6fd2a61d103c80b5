package rescue_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// pageKinds are the first bytes of pages of a b-tree (https://sqlite.org/fileformat2.html#b_tree_pages).
var pageKinds = []byte{0x02, 0x05, 0x0a, 0x0d}

// harm is what was done to a file.
type harm struct {
	content []byte
	// pages are the numbers of those that were hit.
	pages map[int64]bool
	// inside: some bytes of a page were hit, and others were not. SQLite keeps no checksums,
	// so it can read another value there than was written.
	inside bool
}

// damagedCopy draws what is left of a file.
func damagedCopy(t *rapid.T, whole []byte) harm {
	h := harm{content: bytes.Clone(whole), pages: make(map[int64]bool)}
	count := len(whole) / pageSize
	garbage := rapid.SliceOfN(rapid.Byte(), 16, 16).Filter(func(b []byte) bool { return !slices.Contains(pageKinds, b[0]) }).Draw(t, "garbage")
	for _, at := range rapid.SliceOfNDistinct(rapid.IntRange(0, count-1), 0, 3, rapid.ID[int]).Draw(t, "pages") {
		copy(h.content[at*pageSize:(at+1)*pageSize], bytes.Repeat(garbage, pageSize/len(garbage)))
		h.pages[int64(at)+1] = true
	}
	for range rapid.IntRange(0, 3).Draw(t, "runs") {
		at := rapid.IntRange(0, len(whole)-1).Draw(t, "at")
		if rapid.Bool().Draw(t, "at the beginning of a page") {
			at -= at % pageSize
		}
		run := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "run")
		for i := range copy(h.content[at:], run) {
			h.pages[int64((at+i)/pageSize)+1] = true
		}
		h.inside = true
	}
	if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
		left := rapid.IntRange(0, len(whole)).Draw(t, "left")
		for at := left / pageSize; at < count; at++ {
			h.pages[int64(at)+1] = true
		}
		h.inside = h.inside || left%pageSize > 0
		h.content = h.content[:left]
	}
	return h
}

// Whatever bytes of the file are overwritten: the rescue succeeds and keeps them, a table that
// was not hit is whole, and where whole pages were hit each row that was copied was written.
func TestAnyDamageIsRescuedAndCostsOnlyWhatItHits(t *testing.T) {
	sample := filepath.Join(t.TempDir(), "archive.db")
	filled(t, sample)
	whole, written, pages := read(t, sample), allStoredIn(t, sample), pagesOf(t, sample)
	rapid.Check(t, func(rt *rapid.T) {
		harm := damagedCopy(rt, whole)
		directory, err := os.MkdirTemp(filepath.Dir(sample), "damaged")
		if err != nil {
			rt.Fatal(err)
		}
		defer func() {
			if err := os.RemoveAll(directory); err != nil {
				rt.Error(err)
			}
		}()
		path := filepath.Join(directory, "archive.db")
		write(rt, path, harm.content)
		damage, err := planFor(path).Run(t.Context(), errCause, moment)
		if err != nil {
			rt.Fatalf("rescuing: %v", err)
		}
		if !bytes.Equal(read(rt, damage.Aside), harm.content) {
			rt.Errorf("%s is not the damaged file", damage.Aside)
		}
		hit := make(map[string]bool)
		for _, p := range pages {
			hit[p.table] = hit[p.table] || harm.pages[p.number]
		}
		for table, rows := range allStoredIn(rt, path) {
			named := slices.Contains(damage.Unreadable, table)
			if damage.Saved[table] != len(rows) {
				rt.Errorf("%d rows of %s are counted, %d are there", damage.Saved[table], table, len(rows))
			}
			if !hit[table] && !hit["sqlite_schema"] && (named || !slices.Equal(rows, written[table])) {
				rt.Errorf("%s was not hit: %d of %d rows, named %v", table, len(rows), len(written[table]), named)
			}
			if harm.inside {
				continue
			}
			for _, row := range rows {
				if !slices.Contains(written[table], row) {
					rt.Errorf("%s has a row that was not written: %.200s", table, row)
				}
			}
			if len(rows) < len(written[table]) && !named {
				rt.Errorf("%s has %d of %d rows and is not named", table, len(rows), len(written[table]))
			}
		}
	})
}
