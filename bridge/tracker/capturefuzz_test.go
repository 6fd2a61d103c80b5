package tracker_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker/pbxtest"
)

// spoilWidth is the number of bytes that describe one change of a capture: what is done, to
// which event, and with what.
const spoilWidth = 4

// rawCaptures are the events of every capture as Asterisk sent them.
func rawCaptures(t rapid.TB) [][][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../e2e/testdata/captures/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no captures: %v", err)
	}
	var all [][][]byte
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		all = append(all, slices.DeleteFunc(lines, func(line []byte) bool {
			_, err := ari.Decode(line)
			return err != nil
		}))
	}
	return all
}

// spoilt returns a capture after the changes that code describes. Events of the other capture
// may turn up in it.
func spoilt(lines, others [][]byte, code []byte) [][]byte {
	lines = slices.Clone(lines)
	for ; len(code) >= spoilWidth && len(lines) > 0; code = code[spoilWidth:] {
		i := int(code[1]) % len(lines)
		j := int(code[2]) % len(lines)
		switch code[0] % 9 {
		case 0:
			lines = slices.Delete(lines, i, i+1)
		case 1:
			lines = slices.Insert(lines, j, lines[i])
		case 2:
			lines[i], lines[j] = lines[j], lines[i]
		case 3:
			late := lines[i]
			lines = slices.Delete(lines, i, i+1)
			lines = slices.Insert(lines, min(i+int(code[2])%8, len(lines)), late)
		case 4:
			lines[i] = withValue(lines[i], int(code[2]), lines[(i+int(code[3]))%len(lines)])
		case 5:
			lines[i] = withValue(lines[i], int(code[2]), nil)
		case 6:
			damaged := bytes.Clone(lines[i])
			damaged[(int(code[2])*256+int(code[3]))%len(damaged)] = code[3]
			lines[i] = damaged
		case 7:
			lines = slices.Insert(lines, i, others[(int(code[2])*256+int(code[3]))%len(others)])
		default:
			lines = slices.Delete(lines, i, min(i+int(code[2])%32, len(lines)))
		}
	}
	return lines
}

// withValue replaces a string of an event by one of another event, or by an empty one. It may
// be an id, a name, a number, a state or a time.
func withValue(line []byte, which int, from []byte) []byte {
	parts := bytes.Split(line, []byte(`"`))
	// Every other part is what stands between quotation marks.
	n := which%(len(parts)/2)*2 + 1
	var value []byte
	if theirs := bytes.Split(from, []byte(`"`)); n < len(theirs) {
		value = theirs[n]
	}
	parts[n] = value
	return bytes.Join(parts, []byte(`"`))
}

// decoded reads what can be read.
func decoded(lines [][]byte) []bridge.Event {
	var events []bridge.Event
	for _, line := range lines {
		if event, err := ari.Decode(line); err == nil {
			events = append(events, event)
		}
	}
	return events
}

func FuzzSpoiltCaptures(f *testing.F) {
	directory, captures := pbxtest.Office(), rawCaptures(f)
	for i := range captures {
		f.Add(uint8(i), uint8(i+1), []byte{}, uint8(10))
		f.Add(uint8(i), uint8(i+1), []byte{0, 9, 0, 0, 4, 7, 3, 1, 7, 20, 0, 5, 8, 30, 6, 0, 6, 12, 0, 80}, uint8(20))
	}
	f.Fuzz(func(t *testing.T, which, other uint8, code []byte, restartAt uint8) {
		if len(code) > 40*spoilWidth {
			return
		}
		lines := captures[int(which)%len(captures)]
		others := captures[int(other)%len(captures)]
		orderly(t, directory, allCalls, decoded(spoilt(lines, others, code)), int(restartAt))
	})
}
