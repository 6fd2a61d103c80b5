package store

import (
	"errors"
	"testing"
	"time"

	"kontur-ari/bridge/store/vfs"
)

func TestALogThatSomebodyReadsIsNotTakenForBroughtIn(t *testing.T) {
	s := openHere(t, t.TempDir())
	commitEvents(t, s, 10, 100)
	reading, err := s.reader().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var events int
	for _, text := range []string{"BEGIN", "SELECT COUNT(*) FROM events"} {
		if _, err := reading.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	commitEvents(t, s, 10, 100)
	if err := s.committer.checkpoint(t.Context()); !errors.Is(err, errInUse) {
		t.Errorf("while somebody reads: %v, want %v", err, errInUse)
	}
	if err := reading.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM events").Scan(&events); err != nil || events != 10 {
		t.Errorf("%d events are read, error %v", events, err)
	}
	if _, err := reading.ExecContext(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := reading.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.committer.checkpoint(t.Context()); err != nil {
		t.Errorf("when nobody reads: %v", err)
	}
}

// What stands in the way of a log being begun anew is tried again after a while.
func TestALogThatIsReadIsBegunAnewLater(t *testing.T) {
	s := openHere(t, t.TempDir())
	s.checkpointer.lengthened.Store(true)
	reading, err := s.reader().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"BEGIN", "SELECT COUNT(*) FROM events"} {
		if _, err := reading.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	for vfs.Written(s.logPath()) < restartFrom+restartFrom/4 {
		commitEvents(t, s, 500, 2000)
	}
	if began := s.checkpointer.began.Load(); began > restartFrom {
		t.Errorf("the log counts as begun anew at %d although somebody reads it", began)
	}
	if _, err := reading.ExecContext(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := reading.Close(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); s.checkpointer.began.Load() < restartFrom; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the log was not begun anew once nobody read it")
		}
		commitEvents(t, s, 1, 10)
	}
}
