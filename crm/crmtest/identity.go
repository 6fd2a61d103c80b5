package crmtest

import (
	"slices"
	"strings"
)

// call is what the CRM knows of a call, under the CRM's lock.
type call struct {
	id            string // our own externalId; "" until call-started
	communication string
	// clickToCall: the CRM asked for this call itself and knows its id from there.
	clickToCall bool
	// known: the CRM took its call-started, or ordered it.
	known bool
	// answered: the CRM's ids were given in an answer.
	answered bool
	requests []Request // those that took effect, repeats left out
	story    story
}

func (c *call) latest() *Request {
	if len(c.requests) == 0 {
		return nil
	}
	return &c.requests[len(c.requests)-1]
}

// ClickToCall makes the CRM expect a call that it has asked for itself, under that
// communicationId: call-started may carry the id and call-failed may come for it.
// A second order of one communication is the first one repeated.
func (c *CRM) ClickToCall(communicationID string) { c.clickToCall(communicationID) }

// clickToCall reports whether the command is the first of its communication.
func (c *CRM) clickToCall(communicationID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.communication(communicationID) != nil {
		return false
	}
	c.calls = append(c.calls, &call{communication: communicationID, clickToCall: true, known: true, story: story{clickToCall: true}})
	return true
}

// withdraw takes back a click to call that was refused: no report of it may come any
// more. A report that came before is a breach, since a refused call was not made.
func (c *CRM) withdraw(communicationID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if call := c.communication(communicationID); len(call.requests) > 0 {
		c.complainLocked("CALL %s was refused, and its %s was told before", communicationID, call.requests[0].Kind)
		return
	}
	c.calls = slices.DeleteFunc(c.calls, func(call *call) bool { return call.communication == communicationID })
}

// answeredForm is the CRM's form of our externalId.
func (c *CRM) answeredForm(own string) string { return c.options.IntegrationName + "/" + own }

// ownID is our own externalId of the call that a valid report is about; "" where
// there is no saying.
func (c *CRM) ownID(request Request) string {
	if id := strings.TrimPrefix(request.Body.ExternalID, c.options.IntegrationName+"/"); id != "" {
		return id
	}
	if call := c.communication(request.Body.CommunicationID); call != nil {
		return call.id
	}
	return ""
}

// callOf finds the call of a valid report and, for the first one of a call, makes it;
// nil: there is none.
func (c *CRM) callOf(request Request) *call {
	if request.Kind == KindFailed {
		return c.communication(request.Body.CommunicationID)
	}
	first := request.Kind == KindStarted || request.Kind == KindRegister && c.options.Alone
	if known := c.byID[request.Call]; known != nil || !first {
		return known
	}
	begun := c.communication(request.Body.CommunicationID)
	if begun == nil || begun.id != "" {
		begun = &call{communication: guid(1000 + c.named)}
		c.named++
		c.calls = append(c.calls, begun)
	}
	begun.id = request.Call
	c.byID[begun.id] = begun
	return begun
}

// communication is the call with that communicationId; nil: there is none.
func (c *CRM) communication(id string) *call {
	if id == "" {
		return nil
	}
	for _, call := range c.calls {
		if call.communication == id {
			return call
		}
	}
	return nil
}

// misnamed finds what is wrong with the ids of a report of this call.
func (c *call) misnamed(request Request, integration string) []fault {
	var faults []fault
	body := request.Body
	answered := integration + "/" + c.id
	switch request.Kind {
	case KindStarted, KindRegister:
		if body.ExternalID != c.id {
			faults = append(faults, faultf(BreachIdentity, "%s sends the CRM's externalId, not our own", request.Kind))
		}
	case KindEvent, KindFinished, KindRecording:
		if c.answered && body.ExternalID != answered {
			faults = append(faults, faultf(BreachIdentity, "%s sends our externalId although the CRM has answered its own", request.Kind))
		}
	}
	switch {
	case body.CommunicationID == "" && c.answered && request.Kind != KindStarted:
		faults = append(faults, faultf(BreachIdentity, "%s without the communicationId that the CRM has answered", request.Kind))
	case body.CommunicationID == "" && c.clickToCall:
		faults = append(faults, faultf(BreachIdentity, "%s without the communicationId that the CRM ordered the call under", request.Kind))
	case body.CommunicationID != "" && body.CommunicationID != c.communication && request.Kind == KindStarted:
		faults = append(faults, faultf(BreachCommand, "call-started sends the communicationId %s, under which the CRM has ordered no call, or had another one", body.CommunicationID))
	case body.CommunicationID != "" && body.CommunicationID != c.communication:
		faults = append(faults, faultf(BreachIdentity, "%s sends the communicationId %s of another call", request.Kind, body.CommunicationID))
	}
	if request.Kind == KindFailed && !c.clickToCall {
		faults = append(faults, faultf(BreachCommand, "call-failed for a call that the CRM has not ordered"))
	}
	if request.Kind == KindEvent && body.ExternalCallItemID != body.RealtimeCallItemID {
		faults = append(faults, faultf(BreachIdentity, "externalCallItemId %s is not realtimeCallItemId %s", body.ExternalCallItemID, body.RealtimeCallItemID))
	}
	return faults
}
