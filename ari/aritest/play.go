package aritest

import "fmt"

// Play makes Asterisk's state what a captured event shows. From then on GET /channels
// and /bridges show it, and CHANNEL(linkedid) and CALLERID(dnid) of its channels can be
// read. The subscribed listener receives the event if its event filter lets it through;
// to is the number of that listener, counted from 1 in the order in which they connected.
//
// Without a subscribed listener nothing happens, and ok is false. Play panics when event
// is no event.
func (s *Server) Play(event []byte) (to int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown, err := readPlayed(event)
	if err != nil {
		panic(fmt.Sprintf("aritest: %v", err)) // what is played was captured
	}
	for _, app := range s.applications {
		if !app.subscribed() || app.listener.silent {
			continue
		}
		to, ok = app.listener.number, true
		if app.lets(shown.Type) {
			app.listener.enqueue(event)
		}
	}
	if ok {
		s.played.apply(shown)
	}
	return to, ok
}

// Empty reports whether no channel of the played events is left.
func (s *Server) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.played.channels) == 0
}
