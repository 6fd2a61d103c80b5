package delivery

import (
	"cmp"

	"kontur-ari/bridge"
)

// learn keeps what an answer has taught, also for the reports that are in memory
// already. It is called with the lock held.
func (d *Dispatcher) learn(l *lane, sent *bridge.Sent) {
	learnt := sent.Result.Learnt
	for i := range l.reports {
		identity := &l.reports[i].Identity
		identity.ExternalID = cmp.Or(learnt.ExternalID, identity.ExternalID)
		identity.CommunicationID = cmp.Or(learnt.CommunicationID, identity.CommunicationID)
	}
	switch sent.Pending.Report.Kind {
	case bridge.ReportStarted:
		d.identities.put(l.call, learnt)
	case bridge.ReportRegister, bridge.ReportFailed:
		d.identities.forget(l.call)
	}
}

// mostIdentities bounds how many calls' identities are remembered.
const mostIdentities = 4096

// identities remembers how the CRM knows the calls whose call-started it has answered:
// twice as many as mostIdentities at most.
type identities struct {
	young, old map[bridge.CallID]bridge.Identity
}

func (i *identities) get(call bridge.CallID) (bridge.Identity, bool) {
	identity, known := i.young[call]
	if !known {
		identity, known = i.old[call]
	}
	return identity, known
}

func (i *identities) put(call bridge.CallID, identity bridge.Identity) {
	if i.young == nil || len(i.young) >= mostIdentities {
		i.young, i.old = make(map[bridge.CallID]bridge.Identity), i.young
	}
	i.young[call] = identity
}

func (i *identities) forget(call bridge.CallID) {
	delete(i.young, call)
	delete(i.old, call)
}
