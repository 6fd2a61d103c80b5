package crmtest

import (
	"fmt"
	"slices"
	"time"
)

// story follows the requests of one call and finds what can't be so. After a
// fault it goes on as if the request had been right where that is harmless, so
// that one mistake gives one fault and not ten.
type story struct {
	// clickToCall: the CRM asked for the call itself.
	clickToCall                           bool
	started, finished, failed, registered bool
	// legFinished: the one call-event of type finished has come.
	legFinished bool
	// direction, clientPhone, vatsPhone and createdAt are those of call-started.
	direction, clientPhone, vatsPhone string
	createdAt                         time.Time
	latest                            time.Time
	legs                              []*leg
	// listed are the legs of its register-call.
	listed []string
}

// leg is one leg as its events show it.
type leg struct {
	id          string
	state       string // its last event
	from, to    Party
	connectedAt time.Time // first connected; zero if never
	endedAt     time.Time
}

// take judges the call's next request and remembers it.
func (s *story) take(request Request, own string) []fault {
	body := request.Body
	faults := s.misplaced(request.Kind)
	if at := body.Timestamp; !at.IsZero() {
		if at.Before(s.latest) {
			faults = append(faults, faultf(BreachTime, "%s at %s, after a report of %s", request.Kind, at, s.latest))
		} else {
			s.latest = at
		}
	}
	switch request.Kind {
	case KindStarted:
		if !s.started {
			s.started, s.direction, s.createdAt = true, body.Direction, body.Timestamp
			s.clientPhone, s.vatsPhone = body.ClientPhone, body.ExternalVatsPhone
		}
		faults = append(faults, s.misdescribed(body)...)
	case KindEvent:
		faults = append(faults, s.takeEvent(body)...)
	case KindFinished:
		s.finished = true
		faults = append(faults, s.misdescribed(body)...)
	case KindFailed:
		s.failed = true
		faults = append(faults, s.misfailed()...)
	case KindRecording:
		faults = append(faults, s.misrecorded(body)...)
	case KindRegister:
		for _, item := range body.Items {
			s.listed = append(s.listed, item.ID)
		}
		if s.alone() {
			s.direction, s.clientPhone, s.vatsPhone = body.Direction, body.ClientPhone, body.ExternalVatsPhone
		}
		faults = append(faults, s.misdescribed(body)...)
		faults = append(faults, s.misregistered(body, own)...)
		s.registered = true
	}
	return faults
}

// alone reports that the call has no report yet: where that is allowed, its
// register-call may come alone.
func (s *story) alone() bool { return !s.started && len(s.legs) == 0 && !s.finished && !s.failed }

// misplaced finds a kind of request that may not come now.
func (s *story) misplaced(kind Kind) []fault {
	ends := kind == KindFinished || kind == KindFailed
	switch {
	case kind == KindRecording:
		// The recording of a leg may be there at any time once the leg is.
		return nil
	case kind == KindStarted && s.started, kind == KindFinished && s.finished,
		kind == KindFailed && s.failed, kind == KindRegister && s.registered:
		return []fault{faultf(BreachRepeat, "a second %s", kind)}
	case s.failed, s.registered:
		return []fault{faultf(BreachOrder, "%s after the call's last request", kind)}
	case s.finished && kind != KindRegister:
		return []fault{faultf(BreachOrder, "%s after call-finished", kind)}
	case kind == KindRegister && !s.finished && !s.alone():
		return []fault{faultf(BreachOrder, "register-call before call-finished")}
	case ends && len(s.legs) > 0 && !s.legFinished:
		return []fault{faultf(BreachOrder, "%s without a finished event before it", kind)}
	case s.legFinished && !s.finished && !ends:
		return []fault{faultf(BreachOrder, "%s between the finished event and the end of the call", kind)}
	}
	return nil
}

// misfailed finds why a call can't have failed: a call of the CRM's fails when the
// telephone of the user who dials could not be called, and then the call has no other
// report, or when it was not picked up. After that the client was called, and the
// call ends as any other.
func (s *story) misfailed() []fault {
	if s.started && len(s.legs) == 0 {
		return []fault{faultf(BreachOrder, "call-failed after call-started alone: either a telephone was called, which is a leg, or nothing is told but call-failed")}
	}
	var faults []fault
	for _, l := range s.legs {
		if !l.connectedAt.IsZero() {
			faults = append(faults, faultf(BreachLeg, "call-failed although leg %s was connected", l.id))
		}
	}
	return faults
}

// misdescribed finds what is wrong with a description of the whole call.
func (s *story) misdescribed(body Body) []fault {
	var faults []fault
	if body.Direction != s.direction {
		faults = append(faults, faultf(BreachParties, "the direction was %s and is %s", s.direction, body.Direction))
	}
	switch {
	case body.Direction == "internal" && body.ClientPhone != "":
		faults = append(faults, faultf(BreachParties, "an internal call with a clientPhone"))
	case body.Direction != "internal" && body.ClientPhone == "":
		faults = append(faults, faultf(BreachParties, "an %s call without a clientPhone", body.Direction))
	}
	if body.ClientPhone != s.clientPhone {
		faults = append(faults, faultf(BreachParties, "the clientPhone was %q and is %q", s.clientPhone, body.ClientPhone))
	}
	if s.clickToCall && s.vatsPhone == "" {
		// Which of our numbers the client sees shows only when he is dialled.
		s.vatsPhone = body.ExternalVatsPhone
	}
	if body.ExternalVatsPhone != s.vatsPhone {
		faults = append(faults, faultf(BreachParties, "the externalVatsPhone was %q and is %q", s.vatsPhone, body.ExternalVatsPhone))
	}
	return faults
}

// misrecorded finds what is wrong with the recording of a leg: there must be such a leg. It
// need not have been answered: what is left in place of a person, as by a voicemail, is a
// recording of one that was not.
func (s *story) misrecorded(body Body) []fault {
	if s.leg(body.ExternalCallItemID) == nil && !slices.Contains(s.listed, body.ExternalCallItemID) {
		return []fault{faultf(BreachLeg, "a recording of leg %s, which never appeared", body.ExternalCallItemID)}
	}
	return nil
}

// mayFollow lists, for each type of call-event, the events of the same leg that
// it may come right after; "" is none.
var mayFollow = map[string][]string{
	"appeared":     {""},
	"connected":    {"appeared", "paused"},
	"paused":       {"connected"},
	"disconnected": {"appeared", "connected", "paused"},
	"finished":     {"disconnected"},
}

func (s *story) takeEvent(body Body) []fault {
	l := s.leg(body.ExternalCallItemID)
	if l == nil {
		l = &leg{id: body.ExternalCallItemID}
		s.legs = append(s.legs, l)
	}
	var faults []fault
	if !slices.Contains(mayFollow[body.Type], l.state) {
		faults = append(faults, faultf(BreachLeg, "leg %s: %s after %q", l.id, body.Type, l.state))
		if l.state != "" {
			s.legFinished = s.legFinished || body.Type == "finished"
			return faults
		}
	}
	if l.state == "" {
		faults = append(faults, s.misfits(body)...)
	}
	l.state, l.from, l.to = body.Type, body.From, body.To
	switch body.Type {
	case "connected":
		if l.connectedAt.IsZero() {
			l.connectedAt = body.Timestamp
		}
	case "disconnected":
		l.endedAt = body.Timestamp
	case "finished":
		faults = append(faults, s.takeLegFinished(l)...)
	}
	return faults
}

func (s *story) takeLegFinished(finished *leg) []fault {
	s.legFinished = true
	var faults []fault
	for _, l := range s.legs {
		switch {
		case l.state != "disconnected" && l.state != "finished":
			faults = append(faults, faultf(BreachLeg, "finished although leg %s is not disconnected", l.id))
		case finished.connectedAt.IsZero() && !l.connectedAt.IsZero():
			faults = append(faults, faultf(BreachLeg, "finished on leg %s, which was never connected, although leg %s was", finished.id, l.id))
		}
	}
	return faults
}

func (s *story) leg(id string) *leg {
	for _, l := range s.legs {
		if l.id == id {
			return l
		}
	}
	return nil
}

// misfits finds parties of a new leg that the call's direction rules out. The
// first leg is what the direction says; later ones may come from a transfer.
func (s *story) misfits(body Body) []fault {
	first := len(s.legs) == 1
	from, to := body.From.Type, body.To.Type
	wrong := false
	switch s.direction {
	case "inbound":
		wrong = from != "client"
	case "outbound":
		wrong = first && (from != "user" || to != "client") || from == "user" && to == "user"
	case "internal":
		wrong = first && (from != "user" || to != "user") || from == "client" && to == "client"
	}
	if wrong {
		return []fault{{BreachParties, fmt.Sprintf("leg %s of an %s call is %s to %s", body.ExternalCallItemID, s.direction, from, to)}}
	}
	return nil
}
