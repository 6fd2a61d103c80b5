package crm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/internal/secret"
)

// answer is what came back for one HTTP request.
type answer struct {
	status int
	header http.Header
	// body is cut at answerLimit; cut says that there was more.
	body []byte
	cut  bool
	// err is set when no whole answer came; then only sent counts: the request, or a
	// part of it, may have got there.
	err  error
	sent bool
}

// answerLimit bounds what is read of an answer, after decompression. The
// contract's answers are a few kilobytes at most.
const answerLimit = 1 << 20

// readAnswer takes everything out of a response, and closes it.
func readAnswer(response *http.Response) answer {
	body, err := io.ReadAll(io.LimitReader(response.Body, answerLimit+1))
	// A body that was read whole has nothing to add by failing to close.
	_ = response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header, body: body, err: err, sent: true}
	if len(body) > answerLimit {
		a.body, a.cut = body[:answerLimit], true
	}
	return a
}

// fromCRM reports whether a body can be the CRM's: JSON, nothing at all, or a bare
// word such as OK, which is how some servers write a string. A login page of some
// proxy is none of these.
func (a answer) fromCRM() bool {
	body := trimmed(a.body)
	switch {
	case len(body) == 0:
		return !a.cut
	case a.cut:
		return strings.ContainsRune(`{["`, rune(body[0]))
	}
	return json.Valid(body) || bareWord.Match(body)
}

// bareWord is a short word without quotes.
var bareWord = regexp.MustCompile(`^[A-Za-z]{1,16}$`)

// trimmed is a body without the byte order mark and spaces that may surround JSON.
func trimmed(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
}

// decodeIdentity finds how the CRM calls the communication in the answer to
// call-started; what it can't find or read is left "".
func decodeIdentity(body []byte) bridge.Identity {
	var fields map[string]json.RawMessage
	if json.Unmarshal(trimmed(body), &fields) != nil {
		return bridge.Identity{}
	}
	return bridge.Identity{ExternalID: stringIn(fields["externalId"]), CommunicationID: stringIn(fields["id"])}
}

// stringIn is the string that raw holds, "" when it holds anything else.
func stringIn(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// problem is what the CRM said about a request that it did not take, in whichever
// form it said it.
type problem struct {
	// name is the status of the short form or the title of the ASP.NET form.
	name string
	// message is the message, or the errors field by field.
	message string
}

// decodeProblem reads the four forms of refusal: {"status","message"}, the same
// within "errorInfo" and with "invalidPaths" (a change of the instance), the
// ASP.NET problem {"title","errors"} and a bare JSON string. What is none of them
// gives a zero problem.
func decodeProblem(body []byte) problem {
	body = trimmed(body)
	var bare string
	if json.Unmarshal(body, &bare) == nil {
		return problem{message: bare}
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return problem{}
	}
	if title := stringIn(fields["title"]); title != "" {
		return problem{name: title, message: fieldErrors(fields["errors"])}
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(fields["errorInfo"], &inner) == nil && inner != nil {
		message := stringIn(inner["message"])
		if paths := invalidPaths(inner["invalidPaths"]); len(paths) > 0 {
			message = strings.TrimPrefix(message+": "+strings.Join(paths, ", "), ": ")
		}
		return problem{name: stringIn(inner["status"]), message: message}
	}
	return problem{name: stringIn(fields["status"]), message: stringIn(fields["message"])}
}

// invalidPaths names the operations of a change that the CRM did not take. It says
// them back whole; their values are left out.
func invalidPaths(raw json.RawMessage) []string {
	var entries []json.RawMessage
	if json.Unmarshal(raw, &entries) != nil {
		return nil
	}
	var paths []string
	for _, entry := range entries {
		path := stringIn(entry)
		var operation map[string]json.RawMessage
		if path == "" && json.Unmarshal(entry, &operation) == nil {
			path = strings.TrimSpace(stringIn(operation["op"]) + " " + stringIn(operation["path"]))
		}
		paths = append(paths, cmp.Or(path, "?"))
	}
	return paths
}

// fieldErrors is "field: message; message; other field: message", sorted, so that
// one cause always reads the same.
func fieldErrors(raw json.RawMessage) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return ""
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var messages []string
		if json.Unmarshal(fields[name], &messages) != nil {
			messages = []string{stringIn(fields[name])}
		}
		parts = append(parts, name+": "+strings.Join(messages, "; "))
	}
	return strings.Join(parts, "; ")
}

// grant is what an authorisation gives.
type grant struct {
	key       secret.String
	workspace string
	instance  Instance
}

var errNoKey = errors.New("the answer holds no access key")

// decodeGrant reads the answer to an authorisation. The key is required; about
// the rest the CRM may say as little as it likes.
func decodeGrant(body []byte) (grant, error) {
	var fields struct {
		AccessKey json.RawMessage `json:"accessKey"`
		Workspace json.RawMessage `json:"workspace"`
		Instance  json.RawMessage `json:"integrationInstance"`
	}
	// The decoder's own error would quote the answer, and the key may be in it.
	if json.Unmarshal(trimmed(body), &fields) != nil {
		return grant{}, errNoKey
	}
	key := stringIn(fields.AccessKey)
	if key == "" || !fitsHeader(key) {
		return grant{}, errNoKey
	}
	g := grant{key: secret.New(key)}
	var workspace map[string]json.RawMessage
	if json.Unmarshal(fields.Workspace, &workspace) == nil {
		g.workspace = stringIn(workspace["name"])
	}
	if json.Unmarshal(fields.Instance, &g.instance) != nil {
		g.instance = Instance{}
	}
	return g, nil
}
