package store_test

import (
	"errors"
	"strings"
	"testing"

	"kontur-ari/bridge/store"
)

// Each fault is said in words that name the directory and what to do.
func TestEachFaultSaysWhatToDo(t *testing.T) {
	cause := errors.New("what SQLite said")
	for fault, want := range map[store.Fault]string{
		store.Damaged: "is damaged", store.Full: "free some space", store.ReadOnly: "let the user of the service write",
		store.Broken: "look at the kernel's log", store.Unopened: "can't be opened", store.Busy: "another program keeps the store",
	} {
		err := &store.FaultError{Fault: fault, Directory: "/var/lib/kontur-ari", Err: cause}
		if text := err.Error(); !strings.Contains(text, want) || !strings.Contains(text, "/var/lib/kontur-ari") || !errors.Is(err, cause) {
			t.Errorf("%s: %s", fault, text)
		}
	}
}
