package server

import "strings"

// target is what a request is for.
type target string

const (
	targetCall    target = "call"
	targetHangup  target = "hangup"
	targetSync    target = "sync"
	targetUpgrade target = "upgrade"
)

// isCommand reports whether a route is a system call; the others are webhooks.
func (t target) isCommand() bool { return t == targetCall || t == targetHangup }

// route is where a request's path leads.
type route struct {
	target target
	// communication is {id} of a HANGUP's path, as it came; "" without one.
	communication string
}

// router knows the paths of one workspace.
type router struct{ base, workspace string }

// find returns where a path leads; a Reason other than "" where it leads nowhere.
// It takes paths as they are: redirecting to a tidied one, as net/http's mux does,
// would make a GET of the CRM's POST.
func (r router) find(path string) (route, Reason) {
	rest, ok := strings.CutPrefix(path, r.base+"/")
	if !ok {
		return route{}, RejectedPath
	}
	inWorkspace, ok := strings.CutPrefix(rest, "api/v1/")
	if !ok {
		return webhook(rest)
	}
	workspace, rest, _ := strings.Cut(inWorkspace, "/")
	found, reason := webhook(rest)
	if reason != "" {
		found, reason = command(rest)
	}
	if reason == "" && workspace != r.workspace {
		return route{}, RejectedWorkspace
	}
	return found, reason
}

func webhook(path string) (route, Reason) {
	switch path {
	case "communications/sync":
		return route{target: targetSync}, ""
	case "setup/upgrade":
		return route{target: targetUpgrade}, ""
	}
	return route{}, RejectedPath
}

func command(path string) (route, Reason) {
	switch path {
	case "communications/call":
		return route{target: targetCall}, ""
	case "communications/hangup":
		return route{target: targetHangup}, ""
	}
	id, ok := strings.CutPrefix(path, "communications/")
	if !ok {
		return route{}, RejectedPath
	}
	if id, ok = strings.CutSuffix(id, "/hangup"); !ok || id == "" || strings.Contains(id, "/") {
		return route{}, RejectedPath
	}
	return route{target: targetHangup, communication: id}, ""
}
