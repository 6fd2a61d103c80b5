package crmtest

import (
	"bytes"
	"mime"
	"net/http"
	"slices"
	"strings"
)

const (
	authorizePrivate = "/api/v1/authorization/authorize-private-integration"
	authorizePublic  = "/api/v1/authorization/authorize-integration"
	callbacks        = "communications/callbacks/telephony/"
	instances        = "integrations/instances/"
)

// kindOf finds out what a path asks for; the workspace in it is not looked at.
func kindOf(path string) Kind {
	if path == authorizePrivate || path == authorizePublic {
		return KindAuthorize
	}
	_, rest := splitPath(path)
	if kind := Kind(strings.TrimPrefix(rest, callbacks)); strings.HasPrefix(rest, callbacks) && (kind.isReport() || kind == KindRedirect) {
		return kind
	}
	if rest == string(KindFile) {
		return KindFile
	}
	if id := strings.TrimPrefix(rest, instances); id != rest && id != "" && !strings.Contains(id, "/") {
		return KindInstance
	}
	return KindUnknown
}

// splitPath cuts /api/v1/{workspace}/{rest}; both are "" for other paths.
func splitPath(path string) (workspace, rest string) {
	after, ok := strings.CutPrefix(path, "/api/v1/")
	if !ok {
		return "", ""
	}
	workspace, rest, _ = strings.Cut(after, "/")
	return workspace, rest
}

// serve answers a request as the CRM does. The caller holds the lock.
func (c *CRM) serve(x *incoming) answer {
	if x.request.Kind == KindAuthorize {
		return c.authorize(x)
	}
	workspace, rest := splitPath(x.request.Path)
	switch {
	case x.request.Kind == KindUnknown:
		x.fault(BreachRequest, "no such path: %s", x.request.Path)
		return answer{status: http.StatusNotFound}
	case workspace != c.options.Workspace:
		x.fault(BreachRequest, "no such workspace: %s", workspace)
		return answer{status: http.StatusNotFound}
	case !c.admits(x.header):
		return unauthorized()
	}
	if x.header.Get(headerAPIKey) != "" || x.header.Get(headerSecret) != "" {
		x.fault(BreachRequest, "%s carries the API key or the integration's secret: the access key is enough", x.request.Kind)
	}
	switch x.request.Kind {
	case KindInstance:
		return c.serveInstance(x, strings.TrimPrefix(rest, instances))
	case KindRedirect:
		return c.serveRedirect(x)
	case KindFile:
		return c.serveFile(x)
	}
	return c.serveReport(x)
}

func (c *CRM) serveReport(x *incoming) answer {
	if x.request.Method != http.MethodPost {
		x.fault(BreachRequest, "%s by %s", x.request.Kind, x.request.Method)
		return answer{status: http.StatusMethodNotAllowed}
	}
	if complaint := mistyped(x.header.Get("Content-Type"), "application/json"); complaint != "" {
		x.fault(BreachRequest, "%s", complaint)
		return answer{status: http.StatusUnsupportedMediaType}
	}
	if len(x.problems) > 0 {
		for _, p := range x.problems {
			x.fault(BreachBody, "%s: %s: %s", x.request.Kind, p.path, p.text)
		}
		return problemAnswer(x.problems)
	}
	return c.take(x)
}

// mistyped says what is wrong with a content type that must be wanted, in UTF-8.
func mistyped(contentType, wanted string) string {
	media, parameters, err := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	if err != nil || media != wanted || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "the content type is not " + wanted + " in UTF-8: " + contentType
	}
	return ""
}

// take applies a valid report to its call and gives the documented answer.
func (c *CRM) take(x *incoming) answer {
	call := c.apply(x)
	if call == nil {
		x.fault(BreachUnknownCall, "%s about a call that was never started", x.request.Kind)
		return notFound(x.request.Body)
	}
	if x.request.Kind == KindStarted || x.request.Kind == KindRegister {
		call.known = true
	}
	if !call.known {
		// Its call-started was refused because a rule said so: no fault of the sender.
		return notFound(x.request.Body)
	}
	x.accepted = true
	if x.request.Kind == KindStarted {
		return c.startedAnswer(call, x.request.Body)
	}
	return ok()
}

// refuse applies a report that a rule refuses for good.
func (c *CRM) refuse(x *incoming) {
	if c.apply(x) == nil {
		x.fault(BreachUnknownCall, "%s about a call that was never started", x.request.Kind)
	}
}

// apply brings a valid report to its call, which judges it; nil: there is none.
func (c *CRM) apply(x *incoming) *call {
	call := c.callOf(x.request)
	if call == nil {
		return nil
	}
	x.request.Effective = true
	x.faults = append(x.faults, call.misnamed(x.request, c.options.IntegrationName)...)
	if latest := call.latest(); latest != nil && sameRequest(*latest, x.request) {
		x.request.Repeat = true
		c.repeats++
		return call
	}
	older := slices.ContainsFunc(call.requests, func(earlier Request) bool { return sameRequest(earlier, x.request) })
	faults := append(call.story.take(x.request, call.id), c.filesAnnounced(x.request.Body)...)
	if older && len(faults) > 0 {
		// One fault that says what it is instead of all that follow from it. An
		// old body without faults is new: a leg may pause and resume in one millisecond.
		faults = []fault{faultf(BreachRepeat, "%s was sent again after later requests", x.request.Kind)}
	} else {
		call.requests = append(call.requests, x.request)
	}
	x.faults = append(x.faults, faults...)
	return call
}

// learnt notes that the client is given the CRM's ids of a call.
func (c *CRM) learnt(x *incoming) {
	if x.request.Kind == KindStarted && x.accepted {
		c.callOf(x.request).answered = true
	}
}

func sameRequest(a, b Request) bool { return a.Kind == b.Kind && bytes.Equal(a.Raw, b.Raw) }
