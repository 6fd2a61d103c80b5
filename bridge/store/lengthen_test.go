package store

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/vfs"
)

// openHere opens the store of a directory until the test ends.
func openHere(t *testing.T, directory string) *Store {
	t.Helper()
	s, err := reopen(t, directory)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// logSize is how long the write-ahead log is.
func logSize(t *testing.T, directory string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(directory, FileName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func commitEvents(t *testing.T, s *Store, events, size int) {
	t.Helper()
	var batch bridge.Batch
	for range events {
		batch.Events = append(batch.Events, bridge.Entry{Received: time.UnixMilli(1), Event: bridge.Event{Type: bridge.EventDial, Raw: bytes.Repeat([]byte("x"), size)}})
	}
	if _, err := s.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

// What is committed while the log is lengthened, and after, outlives a crash.
func TestTheLogIsLengthenedUnderWhoWritesToIt(t *testing.T) {
	directory := t.TempDir()
	s := openHere(t, directory)
	const events = 20
	committed := 0
	for deadline := time.Now().Add(30 * time.Second); logSize(t, directory) < restartFrom; {
		if time.Now().After(deadline) {
			t.Fatalf("the log has %d bytes, want %d", logSize(t, directory), int64(restartFrom))
		}
		commitEvents(t, s, events, 700)
		committed += events
	}
	crashed := t.TempDir()
	for _, ending := range []string{"", "-wal"} {
		content, err := os.ReadFile(filepath.Join(directory, FileName+ending))
		if err == nil {
			err = os.WriteFile(filepath.Join(crashed, FileName+ending), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	again := openHere(t, crashed)
	counts, err := query(t.Context(), again, "SELECT COUNT(*) FROM events", func(row scanner) (n int, err error) { return n, row.Scan(&n) })
	if err != nil || counts[0] != committed {
		t.Errorf("%d events are there after a crash, want %d (%v)", counts[0], committed, err)
	}
	verdicts, err := query(t.Context(), again, "PRAGMA integrity_check", func(row scanner) (text string, err error) { return text, row.Scan(&text) })
	if err != nil || verdicts[0] != "ok" {
		t.Errorf("after a crash: %v, %v", verdicts, err)
	}
	if damages := again.Damages(); len(damages) > 0 {
		t.Errorf("a log with zeros at its end is taken for damaged: %+v", damages)
	}
}

func TestALongLogIsBegunAnew(t *testing.T) {
	directory := t.TempDir()
	s := openHere(t, directory)
	for vfs.Written(s.logPath()) < 4*restartFrom {
		commitEvents(t, s, 500, 2000)
	}
	if size := logSize(t, directory); size > 2*restartFrom {
		t.Errorf("after %d bytes the log has %d", vfs.Written(s.logPath()), size)
	}
}

func TestAFileThatCannotBeLengthenedStaysAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("frames"), 0o600); err != nil {
		t.Fatal(err)
	}
	if length, err := lengthen(path, 4096); err != nil || length != 6+4096 {
		t.Fatalf("%d bytes long, error %v", length, err)
	}
	content, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(content, append([]byte("frames"), make([]byte, 4096)...)) {
		t.Errorf("%q, error %v", content[:20], err)
	}
	if _, err := lengthen(filepath.Join(t.TempDir(), "missing"), 4096); err == nil {
		t.Error("a log that is not there was lengthened")
	}
	if err := os.Truncate(path, restartFrom); err != nil {
		t.Fatal(err)
	}
	if length, err := lengthen(path, 4096); err != nil || length != restartFrom {
		t.Errorf("one that is long enough has %d bytes now, error %v", length, err)
	}
}

// Whoever closes the store does not wait until the log has its length.
func TestLengtheningEndsWithTheStore(t *testing.T) {
	s := openHere(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := logSize(t, s.directory)
	s.lengthenLog(ctx)
	if after := logSize(t, s.directory); after > before+lengthenedBy {
		t.Errorf("the log has grown from %d to %d bytes", before, after)
	}
}

// Whoever shares the transaction has nothing to do with it.
func TestALogThatCannotBeLengthenedFailsNobody(t *testing.T) {
	s := openHere(t, t.TempDir())
	s.logged = filepath.Join(t.TempDir(), "missing")
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.lengthenLog(t.Context())
	}()
	for range 20 {
		commitEvents(t, s, 1, 10)
	}
	<-done
	commitEvents(t, s, 1, 10)
}
