package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the configuration. None of its texts
// holds the value of a secret.
type Problem struct {
	// Where is file:line, or the file alone, or $NAME of an environment variable.
	Where string
	// Key is the full path of the key, such as directory.users[1].endpoint; ""
	// when the file as a whole is meant.
	Key string
	// Text says what is wrong and what to write instead.
	Text string
	// Cause is the error behind it, nil mostly.
	Cause error

	line int
}

// Error returns the problem as one line: where, key, text.
func (p Problem) Error() string { return describe(p.Where, p.Key, p.Text) }

// Unwrap returns Cause.
func (p Problem) Unwrap() error { return p.Cause }

// Error is everything that is wrong with a configuration: at least one problem,
// those of the file in the order of its lines, then those of the environment.
type Error struct {
	Problems []Problem
}

// Error returns all problems, one a line.
func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return "configuration: " + e.Problems[0].Error()
	}
	var text strings.Builder
	fmt.Fprintf(&text, "configuration: %d problems", len(e.Problems))
	for _, p := range e.Problems {
		text.WriteString("\n  ")
		text.WriteString(p.Error())
	}
	return text.String()
}

// Unwrap returns the problems, so that errors.Is and errors.As see them.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// Warning is something that is allowed and probably not meant. None of its
// texts holds the value of a secret.
type Warning struct {
	// Where is file:line, or the file alone, or $NAME of an environment variable.
	Where string
	// Key is the full path of the key, "" when no single key is meant.
	Key string
	// Text says what is odd and what to do about it.
	Text string
}

// String returns the warning as one line: where, key, text.
func (w Warning) String() string { return describe(w.Where, w.Key, w.Text) }

func describe(where, key, text string) string {
	if key == "" {
		return where + ": " + text
	}
	return where + ": " + key + ": " + text
}

// report collects problems and warnings and knows where each key was set.
type report struct {
	file string
	// outside: not the service itself is looking, see [Check].
	outside  bool
	lines    map[string]int
	env      map[string]string
	bad      map[string]bool
	problems []Problem
	warnings []Warning
}

func newReport(file string) *report {
	return &report{file: file, lines: map[string]int{}, env: map[string]string{}, bad: map[string]bool{}}
}

// problem notes the first problem of a key. Later ones of the same key, or of
// keys within it, would be about the default that took the bad value's place.
func (r *report) problem(key, format string, args ...any) {
	r.caused(nil, key, format, args...)
}

func (r *report) caused(cause error, key, format string, args ...any) {
	if r.isBad(key) {
		return
	}
	r.bad[key] = true
	where, line := r.where(key)
	r.problems = append(r.problems, Problem{Where: where, Key: key, Text: fmt.Sprintf(format, args...), Cause: cause, line: line})
}

// problemAt is problem for what has a line and no key of its own, or whose key
// may be wrong more than once.
func (r *report) problemAt(line int, key, text string) {
	where := r.file
	if line > 0 {
		where = fmt.Sprintf("%s:%d", r.file, line)
	}
	r.problems = append(r.problems, Problem{Where: where, Key: key, Text: text, line: line})
}

func (r *report) warn(key, format string, args ...any) {
	where, _ := r.where(key)
	r.warnings = append(r.warnings, Warning{Where: where, Key: key, Text: fmt.Sprintf(format, args...)})
}

// where finds the place of a key, or of the nearest key around it that the file
// has.
func (r *report) where(key string) (string, int) {
	if name, ok := r.env[key]; ok {
		return "$" + name, 0
	}
	for ; key != ""; key = around(key) {
		if line := r.lines[key]; line > 0 {
			return fmt.Sprintf("%s:%d", r.file, line), line
		}
	}
	return r.file, 0
}

// isBad reports whether a problem of the key, or of what it is in, is known.
func (r *report) isBad(key string) bool {
	for ; key != ""; key = around(key) {
		if r.bad[key] {
			return true
		}
	}
	return false
}

// around returns the key of the section or list that a key is in, "" for none.
func around(key string) string { return key[:max(strings.LastIndexAny(key, ".["), 0)] }

// err returns the problems in order, nil when there are none.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	rank := func(p Problem) int {
		if strings.HasPrefix(p.Where, "$") {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.line, b.line), cmp.Compare(a.Key, b.Key))
	})
	return &Error{Problems: r.problems}
}
