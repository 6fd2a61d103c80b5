package pbxtest

import (
	"cmp"
	"slices"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// meeting is a conference: a client and some employees in one bridge. Each employee has called
// its number.
type meeting struct {
	*plan
	bridgeID string
	client   *person
	present  []*attendant
}

// attendant is an employee in a conference, with a leg in the client's call.
type attendant struct {
	person
	born int
	leg  *legTruth
}

// conference plays a client who calls a conference.
func (p *plan) conference() {
	client := &person{endpoint: "PJSIP/trunk", party: "client"}
	p.comesIn(client)
	p.confer(client)
}

// confer plays a conference of a client and some employees, who come and leave in any order.
func (p *plan) confer(client *person) {
	m := &meeting{plan: p, client: client}
	employees := rapid.Permutation(desks).Draw(p.t, "employees")
	var each [][]func()
	for _, ph := range employees[:rapid.IntRange(0, 3).Draw(p.t, "how many employees")] {
		a := &attendant{person: person{endpoint: ph.endpoint, party: ph.party}}
		each = append(each, []func(){func() { m.calls(a, ph.number) }, func() { m.comes(a) }, func() { m.goes(a) }})
	}
	each = append(each, []func(){m.clientComes, m.clientHolds, m.clientHolds, m.clientGoes})
	for len(each) > 0 {
		i := rapid.IntRange(0, len(each)-1).Draw(p.t, "who comes or goes")
		p.then(each[i][0])
		if each[i] = each[i][1:]; len(each[i]) == 0 {
			each = append(each[:i], each[i+1:]...)
		}
	}
}

// name returns the bridge's name, which the first channel gives it.
func (m *meeting) name(id bridge.ChannelID) string {
	if m.bridgeID == "" {
		m.bridgeID = "meeting-" + string(id)
	}
	return m.bridgeID
}

func (m *meeting) calls(a *attendant, number string) {
	a.id = m.newID()
	a.born = m.serial
	m.x.create(a.id, a.endpoint, bridge.StateRing, number, "481")
	m.x.state(a.id, bridge.StateUp)
}

func (m *meeting) comes(a *attendant) {
	m.x.enter(a.id, m.name(a.id), false)
	m.present = append(m.present, a)
	m.meet()
}

func (m *meeting) clientComes() {
	m.x.state(m.client.id, bridge.StateUp)
	m.client.bridgeID = m.name(m.client.id)
	m.x.enter(m.client.id, m.client.bridgeID, false)
	m.meet()
}

// meet starts a leg for every attendant who is there with the client.
func (m *meeting) meet() {
	if m.client.bridgeID == "" {
		return
	}
	var fresh []*attendant
	for _, a := range m.present {
		if a.leg == nil {
			fresh = append(fresh, a)
		}
	}
	slices.SortFunc(fresh, func(a, b *attendant) int { return cmp.Compare(a.born, b.born) })
	for _, a := range fresh {
		a.leg = m.truth.appear(a.id, "client>"+a.party)
		m.truth.joins(a.id)
	}
	for _, a := range fresh {
		a.leg.connect()
		a.leg.hold(m.client.held)
	}
}

func (m *meeting) clientHolds() {
	if m.client.bridgeID == "" {
		return
	}
	m.client.held = !m.client.held
	kind := bridge.EventChannelUnhold
	if m.client.held {
		kind = bridge.EventChannelHold
	}
	m.x.about(kind, m.client.id)
	for _, leg := range m.truth.legs {
		leg.hold(m.client.held)
	}
}

func (m *meeting) goes(a *attendant) {
	m.present = slices.DeleteFunc(m.present, func(other *attendant) bool { return other == a })
	if a.leg == nil {
		m.x.destroy(a.id, 16)
		return
	}
	a.leg.end()
	m.truth.gone(a.id)
}

// clientGoes ends every leg. The employees may stay.
func (m *meeting) clientGoes() {
	m.client.bridgeID = ""
	for _, leg := range m.truth.legs {
		leg.end()
	}
	m.truth.gone(m.client.id)
}
