package crmtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// shape judges one JSON value: it appends what is wrong with v to the problems.
type shape func(path string, v any, problems *[]problem)

// field of an object.
type field struct {
	optional bool
	shape    shape
}

// contract knows the shape of every call report's body, as the contract's
// examples show them.
type contract map[Kind]shape

func newContract(placeholder string) contract {
	phone := field{true, phoneShape(placeholder)}
	id, optionalID := field{false, text}, field{true, text}
	when := field{false, timestamp}
	direction := field{false, oneOf("inbound", "outbound", "internal")}
	whole := object(map[string]field{
		"timestamp": when, "communicationId": optionalID, "externalId": id,
		"externalVatsPhone": phone, "clientPhone": phone, "direction": direction,
	})
	recording := object(map[string]field{
		"fileId": id, "fileName": id, "contentType": id, "contentLength": {false, matching(digits, "a string of digits")},
	})
	item := object(map[string]field{
		"id": id, "from": {false, partyShape}, "to": {false, partyShape}, "recordings": {false, arrayOf(recording, 0)},
		"startedAt": {true, timestamp}, "finishedAt": when,
	})
	return contract{
		KindStarted:  whole,
		KindFinished: whole,
		KindFailed:   object(map[string]field{"communicationId": id}),
		KindEvent: object(map[string]field{
			"communicationId": optionalID, "externalId": id, "externalCallItemId": id, "realtimeCallItemId": id,
			"timestamp": when, "type": {false, oneOf("appeared", "connected", "disconnected", "paused", "finished")},
			"from": {false, partyShape}, "to": {false, partyShape},
		}),
		KindRecording: object(map[string]field{
			"communicationId": optionalID, "externalId": id, "externalCallItemId": id, "recordingFileId": id,
		}),
		KindRegister: object(map[string]field{
			"externalVatsPhone": phone, "clientPhone": phone, "items": {false, arrayOf(item, 1)},
			"communicationId": optionalID, "externalCreatedAt": when, "externalId": id, "direction": direction,
		}),
	}
}

// read checks raw against the contract and decodes it; the body is valid only
// when there are no problems.
func (c contract) read(kind Kind, raw []byte) (Body, []problem) {
	value, problems := parse(raw)
	if value != nil {
		c[kind]("$", value, &problems)
	}
	if value == nil && len(problems) == 0 {
		problems = []problem{{"$", "the body is null"}}
	}
	if len(problems) > 0 {
		return Body{}, problems
	}
	var body Body
	if err := json.Unmarshal(raw, &body); err != nil {
		return Body{}, []problem{{"$", err.Error()}}
	}
	return body, nil
}

func object(fields map[string]field) shape {
	return func(path string, v any, problems *[]problem) {
		got, ok := v.(map[string]any)
		if !ok {
			*problems = append(*problems, problem{path, fmt.Sprintf("is %s, not an object", kindOfJSON(v))})
			return
		}
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if known, ok := fields[name]; ok {
				known.shape(join(path, name), got[name], problems)
			} else {
				*problems = append(*problems, problem{join(path, name), "the contract knows no such field"})
			}
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if _, there := got[name]; !there && !fields[name].optional {
				*problems = append(*problems, problem{join(path, name), "the field is required"})
			}
		}
	}
}

func arrayOf(element shape, least int) shape {
	return func(path string, v any, problems *[]problem) {
		got, ok := v.([]any)
		if !ok {
			*problems = append(*problems, problem{path, fmt.Sprintf("is %s, not an array", kindOfJSON(v))})
			return
		}
		if len(got) < least {
			*problems = append(*problems, problem{path, "has no elements"})
		}
		for i, v := range got {
			element(fmt.Sprintf("%s[%d]", path, i), v, problems)
		}
	}
}

// stringThat is a string of at least one character about which wrong has
// nothing to say.
func stringThat(wrong func(string) string) shape {
	return func(path string, v any, problems *[]problem) {
		got, ok := v.(string)
		complaint := ""
		switch {
		case !ok:
			complaint = fmt.Sprintf("is %s, not a string", kindOfJSON(v))
		case got == "":
			complaint = "is empty: what is not known is left out"
		default:
			complaint = wrong(got)
		}
		if complaint != "" {
			*problems = append(*problems, problem{path, complaint})
		}
	}
}

var text = stringThat(func(string) string { return "" })

func oneOf(values ...string) shape {
	return stringThat(func(s string) string {
		if slices.Contains(values, s) {
			return ""
		}
		return fmt.Sprintf("%q is none of %s", s, strings.Join(values, ", "))
	})
}

func matching(pattern *regexp.Regexp, words string) shape {
	return stringThat(func(s string) string {
		if pattern.MatchString(s) {
			return ""
		}
		return fmt.Sprintf("%q is not %s", s, words)
	})
}

var (
	digits = regexp.MustCompile(`^[0-9]+$`)
	period = regexp.MustCompile(`^[0-9]{2}:[0-5][0-9]:[0-5][0-9]$`)
)

func phoneShape(placeholder string) shape {
	return stringThat(func(s string) string {
		if digits.MatchString(s) || s == placeholder {
			return ""
		}
		return fmt.Sprintf("%q is neither digits only nor the placeholder %q", s, placeholder)
	})
}

// stampPattern is RFC 3339 with a fraction and a numeric offset: time.Parse
// alone would take "Z" and whole seconds.
var stampPattern = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}[+-]\d\d:\d\d$`)

var timestamp = stringThat(func(s string) string {
	if !stampPattern.MatchString(s) {
		return fmt.Sprintf("%q is not RFC 3339 with a fraction and a numeric offset", s)
	}
	if _, err := time.Parse(time.RFC3339Nano, s); err != nil {
		return fmt.Sprintf("%q is no time: %v", s, err)
	}
	return ""
})

func boolean(path string, v any, problems *[]problem) {
	if _, ok := v.(bool); !ok {
		*problems = append(*problems, problem{path, fmt.Sprintf("is %s, not a boolean", kindOfJSON(v))})
	}
}

// anything is judged elsewhere, or not at all.
func anything(string, any, *[]problem) {}

func partyShape(path string, v any, problems *[]problem) {
	object(map[string]field{"type": {false, oneOf("user", "client")}, "userId": {true, text}})(path, v, problems)
	if got, ok := v.(map[string]any); ok && got["type"] == "client" && got["userId"] != nil {
		*problems = append(*problems, problem{join(path, "userId"), "a client has no userId"})
	}
}

func kindOfJSON(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	}
	return "a number"
}
