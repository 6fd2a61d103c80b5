package crmtest

import "strings"

// misregistered compares register-call with the events before it.
func (s *story) misregistered(body Body, own string) []fault {
	if s.alone() {
		return misregisteredAlone(body)
	}
	var faults []fault
	if body.ExternalCreatedAt.After(s.createdAt) {
		faults = append(faults, faultf(BreachRegister, "externalCreatedAt %s is after call-started's timestamp %s", body.ExternalCreatedAt, s.createdAt))
	}
	if len(s.legs) == 0 {
		return append(faults, misregisteredLegless(body, own)...)
	}
	seen := make(map[string]bool)
	for _, item := range body.Items {
		l := s.leg(item.ID)
		switch {
		case l == nil:
			faults = append(faults, faultf(BreachRegister, "no leg %s ever appeared", item.ID))
		case seen[item.ID]:
			faults = append(faults, faultf(BreachRegister, "leg %s is listed twice", item.ID))
		default:
			faults = append(faults, l.misregistered(item)...)
		}
		seen[item.ID] = true
	}
	for _, l := range s.legs {
		if !seen[l.id] {
			faults = append(faults, faultf(BreachRegister, "leg %s is not listed", l.id))
		}
	}
	return faults
}

// misregisteredAlone judges a register-call that is the only report of its call.
func misregisteredAlone(body Body) []fault {
	var faults []fault
	seen := make(map[string]bool)
	for _, item := range body.Items {
		if seen[item.ID] {
			faults = append(faults, faultf(BreachRegister, "leg %s is listed twice", item.ID))
		}
		seen[item.ID] = true
		if item.FinishedAt.Before(item.StartedAt) || item.FinishedAt.Before(body.ExternalCreatedAt) {
			faults = append(faults, faultf(BreachRegister, "leg %s ended at %s, before it began", item.ID, item.FinishedAt))
		}
	}
	return faults
}

func (l *leg) misregistered(item Item) []fault {
	var faults []fault
	if !item.StartedAt.Equal(l.connectedAt) {
		faults = append(faults, faultf(BreachRegister, "leg %s: startedAt %s, but it was connected first at %s", l.id, item.StartedAt, l.connectedAt))
	}
	if !item.FinishedAt.Equal(l.endedAt) {
		faults = append(faults, faultf(BreachRegister, "leg %s: finishedAt %s, but it was disconnected at %s", l.id, item.FinishedAt, l.endedAt))
	}
	if item.From != l.from || item.To != l.to {
		faults = append(faults, faultf(BreachRegister, "leg %s: %s to %s, but its events said %s to %s", l.id, item.From, item.To, l.from, l.to))
	}
	return faults
}

// misregisteredLegless judges the register-call of a caller who hung up before
// any phone rang: one item that stands for the whole call.
func misregisteredLegless(body Body, own string) []fault {
	if len(body.Items) != 1 {
		return []fault{faultf(BreachRegister, "%d items for a call without legs, where one stands for the call", len(body.Items))}
	}
	item := body.Items[0]
	var faults []fault
	// Leg ids never have the node's name in front, the call's id may.
	if item.ID != own && !strings.HasSuffix(own, "-"+item.ID) {
		faults = append(faults, faultf(BreachRegister, "the item of a call without legs has the id %s, not the call's %s", item.ID, own))
	}
	if item.From.String() != "client" || item.To.String() != "user" {
		faults = append(faults, faultf(BreachRegister, "the item of a call without legs is %s to %s, not client to user", item.From, item.To))
	}
	if !item.StartedAt.IsZero() {
		faults = append(faults, faultf(BreachRegister, "a call without legs has startedAt"))
	}
	return faults
}
