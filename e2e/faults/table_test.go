package faults_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// result sums up the rounds of one kind of fault.
type result struct {
	rounds, requests, repeats int
	outcome
	// events is how many events were lost on their way.
	events int
	// healed is the longest time from the end of a fault until the CRM held everything.
	healed time.Duration
	// failures is how many rounds found a difference.
	failures int
	// mayRepeat says in words which requests may be repeated.
	mayRepeat string
}

// table collects the results, by kind of fault.
type table struct {
	mu    sync.Mutex
	rows  map[string]*result
	extra measured
}

// measured holds the figures that stand below the table, the worst of each.
type measured struct {
	// event and answer are the ages of the oldest event and the oldest answer of the CRM
	// that a fault kept off the disk.
	event, answer           time.Duration
	alarm, space            time.Duration
	pending, memory, probes int
	outage, firstProbe      time.Duration
}

// begin makes a row.
func (t *table) begin(kind, mayRepeat string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = make(map[string]*result)
	}
	t.rows[kind] = &result{mayRepeat: mayRepeat}
}

// add adds the result of a round that found no difference.
func (t *table) add(kind string, r result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := t.rows[kind]
	sum.rounds++
	sum.requests += r.requests
	sum.repeats += r.repeats
	sum.exact += r.exact
	sum.resumed += r.resumed
	sum.less += r.less
	sum.cut += r.cut
	sum.unseen += r.unseen
	sum.events += r.events
	sum.healed = max(sum.healed, r.healed)
}

func (t *table) failed(kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[kind].failures++
}

// measure changes the figures below the table.
func (t *table) measure(change func(*measured)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.extra)
}

// order is the order of the rows. Kinds that are not in it come last.
var order = []string{"SIGKILL", "power cut", "disk full", "ARI drop", "CRM", "answer", "outage"}

func rank(kind string) int {
	for i, prefix := range order {
		if strings.HasPrefix(kind, prefix) {
			return i
		}
	}
	return len(order)
}

// markdown returns the table and the sentences below it.
func (t *table) markdown() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var kinds []string
	for kind := range t.rows {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b string) int {
		if byRank := rank(a) - rank(b); byRank != 0 {
			return byRank
		}
		return strings.Compare(a, b)
	})
	var text strings.Builder
	text.WriteString("| fault | times | calls | exact | resumed | cut | unseen | requests | lost | order violations | repeats | allowed repeats | healed within |\n")
	text.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, kind := range kinds {
		r := t.rows[kind]
		if r.rounds == 0 && r.failures == 0 {
			continue
		}
		verdict := "0 | 0"
		if r.failures > 0 {
			verdict = "FAILED | FAILED"
		}
		fmt.Fprintf(&text, "| %s | %d | %d | %d | %d | %d | %d | %d | %s | %d | %s | %.1f s |\n", kind, r.rounds,
			r.exact+r.resumed+r.cut+r.unseen, r.exact, r.resumed, r.cut, r.unseen, r.requests, verdict, r.repeats, r.mayRepeat, r.healed.Seconds())
	}
	less, resumed := 0, 0
	for _, r := range t.rows {
		less, resumed = less+r.less, resumed+r.resumed
	}
	fmt.Fprintf(&text, "\nOf %d resumed calls %d were reported with less than the truth, as is said below.\n", resumed, less)
	t.extra.write(&text)
	return text.String()
}

func (m measured) write(text *strings.Builder) {
	if m.event > 0 || m.answer > 0 {
		fmt.Fprintf(text, "\nThe oldest event that was lost on its way was %d ms old, and the oldest answer of the CRM that was not on the disk yet %d ms.\n",
			m.event.Milliseconds(), m.answer.Milliseconds())
	}
	if m.space > 0 {
		fmt.Fprintf(text, "\nA full disk: `/healthz` said so within %d ms of the first event that could not be stored, and that all is well within %.1f s of there being space.\n",
			m.alarm.Milliseconds(), m.space.Seconds())
	}
	if m.pending > 0 {
		fmt.Fprintf(text, "\nThe outage: with %d reports pending the daemon took %d MiB of resident memory. In %s the CRM was asked %d times. "+
			"After a death in the middle it was asked for the first time within %d ms.\n",
			m.pending, m.memory>>20, m.outage, m.probes, m.firstProbe.Milliseconds())
	}
}

// The table stands between these lines of the page.
const (
	tableBegins = "<!-- written by make faults -->\n"
	tableEnds   = "<!-- end of what make faults writes -->\n"
)

// write puts the table into a page.
func (t *table) write(page string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return errors.New(page + " has no place for the table")
	}
	return os.WriteFile(page, []byte(before+tableBegins+"\n"+t.markdown()+"\n"+tableEnds+after), 0o644)
}
