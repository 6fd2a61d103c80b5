package store

import (
	"slices"
	"sync"
	"time"
)

// Damage tells of a store's file that was damaged and replaced by a new one.
type Damage struct {
	Found time.Time
	// Cause is what was wrong with the file.
	Cause error
	// Aside is where the file is now, with its log beside it.
	Aside string
	// Saved counts the rows that were taken over into the new file, by table.
	Saved map[string]int
	// Unreadable are the tables of which something could not be read.
	Unreadable []string
}

// damages remembers what was found, for those who ask and for the one who tells.
type damages struct {
	mu   sync.Mutex
	all  []Damage
	tell func(Damage)
}

func (d *damages) add(damage Damage) {
	d.mu.Lock()
	d.all = append(d.all, damage)
	tell := d.tell
	d.mu.Unlock()
	if tell != nil {
		tell(damage)
	}
}

// Damages returns what damage was found since Open began, the oldest first.
func (s *Store) Damages() []Damage {
	s.damages.mu.Lock()
	defer s.damages.mu.Unlock()
	return slices.Clone(s.damages.all)
}

// TellDamage has tell called for each damage, at once for what was found already. It
// must not use the Store. Call it once.
func (s *Store) TellDamage(tell func(Damage)) {
	s.damages.mu.Lock()
	s.damages.tell = tell
	found := slices.Clone(s.damages.all)
	s.damages.mu.Unlock()
	for _, damage := range found {
		tell(damage)
	}
}
