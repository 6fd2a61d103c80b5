package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

const (
	headerKey  = "X-Xcom-Accesskey"
	headerEcho = "X-Xcom-Integration-Echo"
)

// answer is what the client gets.
type answer struct {
	status int
	// body is a text or a problem.
	body any
	// allow and retryAfter are headers of theirs; zero: none.
	allow      string
	retryAfter time.Duration
}

// problem is the form of all answers but 200 and 401 (contract, the 409 of HANGUP).
type problem struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// callProblem is the same for CALL, which has two lists more in the contract.
type callProblem struct {
	InvalidDatas       []string            `json:"invalidDatas"`
	InvalidConstraints map[string][]string `json:"invalidConstraints"`
	problem
}

var accepted = answer{status: http.StatusOK, body: "OK"}

// refusal is an answer in the form that the contract has for the target.
func refusal(status int, t target, name, message string) answer {
	p := problem{Status: name, Message: message}
	if t == targetCall {
		return answer{status: status, body: callProblem{[]string{}, map[string][]string{}, p}}
	}
	return answer{status: status, body: p}
}

// rejection is the answer to a request that got no further. It shows a stranger
// nothing that he did not know: another workspace is a path that is not there.
func rejection(reason Reason, t target, message string) answer {
	switch reason {
	case RejectedNetwork:
		return refusal(http.StatusForbidden, t, "forbidden", "Commands are not taken from this network")
	case RejectedPath, RejectedWorkspace:
		return refusal(http.StatusNotFound, t, "notFound", "Nothing is served at this path")
	case RejectedMethod:
		a := refusal(http.StatusMethodNotAllowed, t, "methodNotAllowed", "Send a POST")
		a.allow = http.MethodPost
		return a
	case RejectedSize:
		return refusal(http.StatusRequestEntityTooLarge, t, "tooLarge", "The body is too large")
	case RejectedMediaType:
		return refusal(http.StatusUnsupportedMediaType, t, "unsupportedMediaType", "Send application/json in UTF-8")
	case RejectedNoKey, RejectedKey:
		return answer{status: http.StatusUnauthorized, body: "Unauthorized"}
	case RejectedBudget:
		return refusal(http.StatusTooManyRequests, t, "tooManyRequests", "Too many unknown access keys; try again later")
	case RejectedUnchecked:
		a := refusal(http.StatusServiceUnavailable, t, "unavailable", "The access key can't be checked now; try again later")
		a.retryAfter = 2 * time.Second
		return a
	case RejectedSlow:
		return refusal(http.StatusRequestTimeout, t, "requestTimeout", "The body did not arrive in time")
	}
	return refusal(http.StatusBadRequest, t, "invalidArgs", message)
}

// write sends the answer, with the echo by which the CRM knows that it talks to its
// integration and not to some other server.
func (a answer) write(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	for _, echo := range r.Header.Values(headerEcho) {
		header.Add(headerEcho, echo)
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if a.allow != "" {
		header.Set("Allow", a.allow)
	}
	if a.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(a.retryAfter.Seconds())))
	}
	body, err := json.Marshal(a.body)
	if err != nil {
		panic(err) // texts always can be marshalled
	}
	w.WriteHeader(a.status)
	// A client that has gone away needs no answer; the CRM repeats a command.
	_, _ = w.Write(body)
}
