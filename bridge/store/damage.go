package store

import (
	"errors"
	"slices"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/rescue"
)

// Damage says how a store's file was damaged and replaced by a new one.
type Damage = rescue.Damage

// Rescued returns the damages that were found before the file was opened, the oldest first.
func (s *Store) Rescued() []Damage { return slices.Clone(s.rescued) }

// Damaged is closed when the file turns out to be damaged while it is open. From then on reads
// and writes fail with an error that matches [bridge.ErrStoreDamaged]. The process must end:
// the next [Open] replaces the file.
func (s *Store) Damaged() <-chan struct{} { return s.damaged }

// DamageError says why the store is [Store.Damaged]; nil as long as it is not.
func (s *Store) DamageError() error {
	select {
	case <-s.damaged:
		return explain(s.directory, s.db.Damage())
	default:
		return nil
	}
}

// noteDamage is called once, with the first damage that is found. The note has the next start
// replace the file also where its quick look would find nothing. Where the note can't be
// written, [Store.Close] returns why, and a later read or inspection finds the damage again.
func (s *Store) noteDamage(cause error) {
	// The disk may hang: the process must end also then.
	close(s.damaged)
	s.noteError = rescue.Note(s.path(), cause)
}

// Is has a fault that is damage match [bridge.ErrStoreDamaged].
func (e *FaultError) Is(target error) bool {
	return e.Fault == Damaged && errors.Is(target, bridge.ErrStoreDamaged)
}
