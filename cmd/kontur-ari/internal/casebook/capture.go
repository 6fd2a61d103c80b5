package casebook

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// largestEvent is the most bytes that one event of a capture may have, the same as
// the daemon reads from Asterisk.
const largestEvent = 16 << 20

// captureReader reads the events of a capture: JSON objects, one a line or
// separated in any other way (pretty-printed, one after another, as a list).
// Lines that begin with # are comments.
//
// A damaged line costs no other: reading goes on at the next line that may begin an
// object.
type captureReader struct {
	lines *bufio.Reader
	// text is the unread rest of the line with the number line.
	text []byte
	line int
}

// badLineError is a place in a capture that can't be read. Reading may go on after it.
type badLineError struct {
	line int
	what string
}

// Error says what is wrong, without the number of the line.
func (e *badLineError) Error() string { return e.what }

func newCaptureReader(in io.Reader) *captureReader {
	return &captureReader{lines: bufio.NewReader(in)}
}

// next returns the next event and the number of the line it begins in. It fails with
// [io.EOF] at the end, and with *[badLineError] where next may be called again. Any
// other error is one of reading the file.
func (r *captureReader) next() (raw []byte, line int, err error) {
	for {
		r.text = bytes.TrimLeft(r.text, " \t\r\n,[]\x1e\ufeff")
		if len(r.text) > 0 && r.text[0] != '#' {
			break
		}
		if r.text, err = r.readLine(); err != nil {
			return nil, 0, err
		}
	}
	line = r.line
	if r.text[0] != '{' {
		return nil, line, r.skip(line, "it is neither a JSON object nor a comment")
	}
	var object objectScan
	for {
		if end := object.end(r.text); end > 0 {
			raw, r.text = r.text[:end:end], r.text[end:]
			return raw, line, nil
		}
		if object.broken || len(r.text) > largestEvent {
			return nil, line, r.skip(line, "it is not a JSON object: a line ends within a text, or it is longer than any event")
		}
		more, err := r.readLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, line, err
		}
		if errors.Is(err, io.EOF) || isCompleteEvent(more) {
			r.text = more
			return nil, line, &badLineError{line, "the event is not complete"}
		}
		r.text = append(r.text, more...)
	}
}

// skip drops the rest of a line.
func (r *captureReader) skip(line int, what string) error {
	r.text = nil
	return &badLineError{line, what}
}

// readLine returns the next line with its end, cut behind largestEvent bytes; io.EOF
// when there is none.
func (r *captureReader) readLine() ([]byte, error) {
	var line []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		if room := largestEvent + 1 - len(line); room > 0 {
			line = append(line, part[:min(len(part), room)]...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil, errors.Is(err, io.EOF) && len(line) > 0:
			r.line++
			return line, nil
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		default:
			return nil, fmt.Errorf("reading line %d: %w", r.line+1, err)
		}
	}
}

// isCompleteEvent reports whether a line is an event by itself, and not a part of one
// that is written over several lines.
func isCompleteEvent(line []byte) bool {
	line = bytes.TrimRight(line, " \t\r\n")
	return len(line) > 0 && line[0] == '{' && new(objectScan).end(line) == len(line) && json.Valid(line)
}

// objectScan finds the end of a JSON object in a text that grows. It does not check
// that the object is valid JSON.
type objectScan struct {
	seen, depth     int
	quoted, escaped bool
	// broken: a line ended within a string, so the object has no end.
	broken bool
}

// end returns the length of the object that a text begins with; 0 if the object does
// not end in it. Each text must begin with the one of the call before.
func (o *objectScan) end(text []byte) int {
	for ; o.seen < len(text); o.seen++ {
		c := text[o.seen]
		switch {
		case o.escaped:
			o.escaped = false
		case o.quoted && c == '\\':
			o.escaped = true
		case c == '"':
			o.quoted = !o.quoted
		case o.quoted:
		case c == '{' || c == '[':
			o.depth++
		case c == '}' || c == ']':
			if o.depth--; o.depth == 0 {
				o.seen++
				return o.seen
			}
		}
		if o.broken = o.quoted && c == '\n'; o.broken {
			return 0
		}
	}
	return 0
}
