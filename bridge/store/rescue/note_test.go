package rescue_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kontur-ari/bridge/store/rescue"
)

const noteName = "archive.db.is-damaged"

// checkLook sees that a look at a file finds a cause that says something; "" for no cause.
func checkLook(t *testing.T, path, want string) {
	t.Helper()
	cause, err := rescue.Look(path)
	switch {
	case err != nil:
		t.Errorf("looking at %s: %v", path, err)
	case want == "" && cause != nil, want != "" && (cause == nil || !strings.Contains(cause.Error(), want)):
		t.Errorf("the cause is %v, want %q", cause, want)
	}
}

func TestANoteCarriesTheCauseToTheNextStartUntilTheRescue(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "archive.db")
	filled(t, path)
	checkLook(t, path, "")
	for _, cause := range []string{"the first read said so", "and so\ndid another"} {
		if err := rescue.Note(path, errors.New(cause)); err != nil {
			t.Fatal(err)
		}
		// Looking does not use it up: a start may end before the rescue.
		for range 2 {
			if found, err := rescue.Look(path); err != nil || found == nil || found.Error() != cause {
				t.Errorf("found %v, error %v, want %q", found, err, cause)
			}
		}
	}
	run(t, planFor(path))
	checkLook(t, path, "")
	if _, ok := filesIn(t, directory)[noteName]; ok {
		t.Error("the note is still there after the rescue")
	}
}

func TestANoteThatWasNotFinishedIsANote(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "blank": " \n"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "archive.db")
			filled(t, path)
			write(t, path+".is-damaged", []byte(content))
			checkLook(t, path, "a process that ended before it could say more")
		})
	}
}

func TestANoteThatCannotBeReadFailsTheLook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive.db")
	filled(t, path)
	if err := os.Mkdir(path+".is-damaged", 0o700); err != nil {
		t.Fatal(err)
	}
	if cause, err := rescue.Look(path); cause != nil || err == nil || !strings.Contains(err.Error(), "is-damaged") {
		t.Errorf("cause %v, error %v; want an error that names the note", cause, err)
	}
}

func TestANoteThatCannotBeWrittenIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "archive.db")
	if err := rescue.Note(path, errCause); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "noting that the store is damaged") {
		t.Errorf("noting in a directory that is missing: %v", err)
	}
}

func TestTheDamageShowsBeforeTheFileIsOpened(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]int
		want  string
	}{
		"nothing":                                 {nil, ""},
		"an empty file":                           {map[string]int{"archive.db": 0}, "empty, or almost"},
		"a file that is too short":                {map[string]int{"archive.db": 511}, "empty, or almost"},
		"a file that may be one":                  {map[string]int{"archive.db": 512}, ""},
		"a log without its file":                  {map[string]int{"archive.db-wal": 1}, "its write-ahead log is not"},
		"an empty log alone":                      {map[string]int{"archive.db-wal": 0}, ""},
		"a file with its log":                     {map[string]int{"archive.db": 512, "archive.db-wal": 100}, ""},
		"a note about a file that was moved away": {map[string]int{noteName: 10}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			for file, size := range test.files {
				write(t, filepath.Join(directory, file), make([]byte, size))
			}
			checkLook(t, filepath.Join(directory, "archive.db"), test.want)
			for file, content := range filesIn(t, directory) {
				if len(content) != test.files[file] {
					t.Errorf("%s has %d bytes, had %d", file, len(content), test.files[file])
				}
				if file == noteName {
					t.Error("the note would be taken for one about the next file")
				}
			}
		})
	}
}
