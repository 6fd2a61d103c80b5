package crmtest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// SetResponsible makes users, by their ids, responsible for a client with that
// phone number; none: the CRM knows no user for it, as in the beginning.
func (c *CRM) SetResponsible(phoneNumber string, users ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phones[phoneNumber] = slices.Clone(users)
}

// SetResponsibleForCall is SetResponsible for the call with our own externalId. The
// CRM names them once it knows the call.
func (c *CRM) SetResponsibleForCall(id string, users ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owners[id] = slices.Clone(users)
}

// serveRedirect answers who is responsible: by a phone number or by a call, never
// both. To ask about a call that the CRM does not know is no violation: it may be
// asked before call-started is through.
func (c *CRM) serveRedirect(x *incoming) answer {
	if x.request.Method != http.MethodGet {
		x.fault(BreachRequest, "%s by %s", x.request.Kind, x.request.Method)
		return answer{status: http.StatusMethodNotAllowed}
	}
	if len(x.request.Raw) > 0 {
		x.fault(BreachRequest, "%s with a body", x.request.Kind)
	}
	parameters, err := url.ParseQuery(x.request.Query)
	if problems := misasked(parameters, err); len(problems) > 0 {
		for _, p := range problems {
			x.fault(BreachRequest, "%s: %s: %s", x.request.Kind, p.path, p.text)
		}
		return problemAnswer(problems)
	}
	users := c.phones[parameters.Get("phoneNumber")]
	if external := parameters.Get("externalId"); external != "" {
		users = c.responsibleForCall(x, external)
	}
	if len(users) == 0 {
		return conflict("notFound", "Communication Xcom.Api.Models.Communications.CallRedirectRequest not found")
	}
	return jsonAnswer(http.StatusOK, map[string]any{"userIds": users})
}

// misasked finds what is wrong with the parameters of a call-redirect.
func misasked(parameters url.Values, unreadable error) []problem {
	if unreadable != nil {
		return []problem{{"$", "the query can't be read: " + unreadable.Error()}}
	}
	var problems []problem
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		switch values := parameters[name]; {
		case name != "phoneNumber" && name != "externalId":
			problems = append(problems, problem{name, "the contract knows no such parameter"})
		case len(values) > 1:
			problems = append(problems, problem{name, "the parameter is there twice"})
		case values[0] == "":
			problems = append(problems, problem{name, "is empty: what is not known is left out"})
		case name == "phoneNumber" && !digits.MatchString(values[0]):
			problems = append(problems, problem{name, "is not digits only"})
		}
	}
	switch phone, call := parameters.Has("phoneNumber"), parameters.Has("externalId"); {
	case !phone && !call:
		problems = append(problems, problem{"$", "neither phoneNumber nor externalId"})
	case phone && call:
		problems = append(problems, problem{"$", "both phoneNumber and externalId, which are two ways of asking"})
	}
	return problems
}

func (c *CRM) responsibleForCall(x *incoming, external string) []string {
	x.request.Call = strings.TrimPrefix(external, c.options.IntegrationName+"/")
	call := c.byID[x.request.Call]
	if call == nil || !call.known {
		return nil
	}
	if external != call.id {
		x.fault(BreachIdentity, "%s sends the CRM's form of the externalId, and the contract's example has our own", x.request.Kind)
	}
	return c.owners[x.request.Call]
}
