package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"testing"
)

// pagesOf are the numbers of the pages that a table is kept in, its root first. The file
// must not be in use.
func pagesOf(t *testing.T, path, table string) (pages []int64) {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	rows, err := db.QueryContext(t.Context(), "SELECT pageno FROM dbstat WHERE name = ? ORDER BY path", table)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var page int64
		if err := rows.Scan(&page); err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	return pages
}

// scribble overwrites pages of a file, the first of which is 1.
func scribble(t *testing.T, path string, pages ...int64) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if _, err := file.WriteAt(bytes.Repeat([]byte{0xa5}, 4096), (page-1)*4096); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
