package sqlite

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestArgumentsArriveAsTheyAre(t *testing.T) {
	conn, err := OpenConn(filepath.Join(t.TempDir(), "a ?%#.db"), ModeCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Script("CREATE TABLE kept (id INTEGER PRIMARY KEY, number INTEGER, text TEXT NOT NULL, bytes BLOB NOT NULL) STRICT"); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		number, text, content := rapid.Int64().Draw(rt, "number"), rapid.String().Draw(rt, "text"), rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes")
		if err := conn.Exec("INSERT INTO kept (number, text, bytes) VALUES (?, ?, ?)", number, text, content); err != nil {
			rt.Fatal(err)
		}
		var gotNumber int64
		var gotText string
		var gotContent []byte
		found, err := conn.First("SELECT number, text, bytes FROM kept WHERE id = ?", func(row Row) error {
			return row.Scan(&gotNumber, &gotText, &gotContent)
		}, conn.LastInsertID())
		if err != nil || !found || gotNumber != number || gotText != text || !bytes.Equal(gotContent, content) {
			rt.Fatalf("%d %q %x became %d %q %x, error %v", number, text, content, gotNumber, gotText, gotContent, err)
		}
	})
	if err := conn.Exec("SELECT ?", 1, 2); err == nil {
		t.Error("an argument too many is accepted")
	}
	if err := conn.Exec("SELECT ?", struct{}{}); err == nil {
		t.Error("a struct is accepted")
	}
	if found, err := conn.First("SELECT 1 WHERE 0", func(Row) error { t.Error("a row that is not there"); return nil }); found || err != nil {
		t.Errorf("no row: %v %v", found, err)
	}
}

func TestAFileThatAnotherConnectionHoldsIsBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held.db")
	holder, err := OpenConn(path, ModeCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	other, err := OpenConn(path, ModeCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetBusyTimeout(time.Millisecond)
	if err := holder.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := other.Exec("BEGIN IMMEDIATE"); !IsBusy(err) || Classify(err) != Busy {
		t.Errorf("while another connection holds the file: %v", err)
	}
	if err := holder.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := other.Script("BEGIN IMMEDIATE; COMMIT"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
