package faults_test

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// result is what came of rounds of one kind of fault.
type result struct {
	rounds, calls, requests int
	outcome
	// events were cut out on their way.
	events              int
	repeats, violations int
	healed              time.Duration
}

// table collects the results, by kind of fault.
type table struct {
	mu    sync.Mutex
	kinds []string
	rows  map[string]result
	notes []string
}

// note keeps a sentence about what was measured beside.
func (t *table) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

func (t *table) add(kind string, r result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = make(map[string]result)
	}
	sum, known := t.rows[kind]
	if !known {
		t.kinds = append(t.kinds, kind)
	}
	sum.rounds += r.rounds
	sum.calls += r.calls
	sum.requests += r.requests
	sum.exact += r.exact
	sum.cut += r.cut
	sum.unseen += r.unseen
	sum.events += r.events
	sum.repeats += r.repeats
	sum.violations += r.violations
	sum.healed = max(sum.healed, r.healed)
	t.rows[kind] = sum
}

func (t *table) markdown() string {
	var text strings.Builder
	text.WriteString("| fault | times | calls | requests | exact | cut | unseen | events cut out | repeats | violations | healed |\n")
	text.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, kind := range t.kinds {
		r := t.rows[kind]
		fmt.Fprintf(&text, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %.1f s |\n", kind, r.rounds, r.calls, r.requests, r.exact, r.cut, r.unseen, r.events, r.repeats, r.violations, r.healed.Seconds())
	}
	for _, note := range t.notes {
		text.WriteString(note + "\n")
	}
	return text.String()
}
