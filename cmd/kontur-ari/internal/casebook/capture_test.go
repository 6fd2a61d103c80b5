package casebook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readCapture reads a whole capture: "LINE EVENT" for an event, "LINE !" for a
// place that can't be read.
func readCapture(t testing.TB, text string) (found []string) {
	t.Helper()
	reader := newCaptureReader(strings.NewReader(text))
	for {
		raw, line, err := reader.next()
		switch _, bad := errors.AsType[*badLineError](err); {
		case err == io.EOF:
			return found
		case bad:
			found = append(found, fmt.Sprint(line, " !"))
		case err != nil:
			t.Fatal(err)
		default:
			found = append(found, fmt.Sprint(line, " ", string(raw)))
		}
	}
}

func TestEventsOfACaptureMayBeSeparatedInAnyWay(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"one a line", "# a call\n{\"a\":1}\n{\"a\":2}\n", []string{`2 {"a":1}`, `3 {"a":2}`}},
		{"blank lines, other line ends and none at the end", "\n{\"a\":1}\r\n\r\n  # said\n{\"a\":2}", []string{`2 {"a":1}`, `5 {"a":2}`}},
		{"behind one another", `{"a":1}{"a":2} {"a":3}`, []string{`1 {"a":1}`, `1 {"a":2}`, `1 {"a":3}`}},
		{"a list", "[{\"a\":1},\n{\"a\":[2]}]\n", []string{`1 {"a":1}`, `2 {"a":[2]}`}},
		{"over several lines", "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n{\"a\":2}", []string{"1 {\n  \"a\": {\n    \"b\": 1\n  }\n}", `6 {"a":2}`}},
		{"braces, quotation marks and number signs in texts", `{"a":"}\"{#"}` + "\n" + `{"a":"\\"}`, []string{`1 {"a":"}\"{#"}`, `2 {"a":"\\"}`}},
		{"a byte order mark", "\ufeff{\"a\":1}", []string{`1 {"a":1}`}},
		{"nothing", "# nothing\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, readCapture(t, test.text)); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADamagedLineOfACaptureCostsNoOther(t *testing.T) {
	for _, test := range []struct{ name, damaged string }{
		{"cut within a text", `{"type":"Chan`},
		{"cut behind a comma", `{"type":"Dial",`},
		{"no object", `12:30 hello`},
		{"too long", `{"a":"` + strings.Repeat("x", largestEvent) + `"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := []string{`1 {"a":1}`, "2 !", `3 {"a":2}`}
			if diff := cmp.Diff(want, readCapture(t, "{\"a\":1}\n"+test.damaged+"\n{\"a\":2}\n")); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want[:2], readCapture(t, "{\"a\":1}\n"+test.damaged)); diff != "" {
				t.Errorf("read at the end (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFileThatCannotBeReadIsNamedByItsLine(t *testing.T) {
	broken := errors.New("the disk is gone")
	reader := newCaptureReader(io.MultiReader(strings.NewReader("{\"a\":1}\n{"), &failingReader{broken}))
	if _, _, err := reader.next(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := reader.next(); !errors.Is(err, broken) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a disk that fails: %v", err)
	}
}

type failingReader struct{ err error }

func (r *failingReader) Read([]byte) (int, error) { return 0, r.err }

// Whatever bytes a file holds, the reader reaches its end and returns the events
// that follow them.
func FuzzCaptureReaderComesToTheEnd(f *testing.F) {
	for _, text := range []string{"", "# a\n{}", "{\"a\":\"\n\"}", "[{},{\"a\":[}]", "}{", "{\"\\\n", "{,\n{\n", "\xff\ufeff#"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		last := 0
		reader := newCaptureReader(bytes.NewReader(text))
		for reads := 0; ; reads++ {
			raw, line, err := reader.next()
			if err == io.EOF {
				break
			}
			if _, bad := errors.AsType[*badLineError](err); err != nil && !bad {
				t.Fatal(err)
			}
			if line < last || line < 1 || line > 1+bytes.Count(text, []byte("\n")) {
				t.Fatalf("line %d after line %d", line, last)
			}
			if err == nil && (raw[0] != '{' || !bytes.Contains(text, raw)) {
				t.Fatalf("read %q, which is not in the file", raw)
			}
			if last = line; reads > len(text) {
				t.Fatal("the reader does not come to an end")
			}
		}
		found := readCapture(t, string(text)+"\n{\"last\":1}")
		if len(found) == 0 || !strings.HasSuffix(found[len(found)-1], ` {"last":1}`) {
			t.Fatalf("the event behind it was not read: %q", found)
		}
	})
}
