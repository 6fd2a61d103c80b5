package crmtest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// step is one report as a test sends it. The values "$external" and
// "$communication" stand for what the CRM has answered to the call's call-started.
type step struct {
	kind Kind
	body map[string]any
}

type party = map[string]any

var (
	client   = party{"type": "client"}
	anybody  = party{"type": "user"}
	petrova  = party{"type": "user", "userId": "ae9c0d0e-0000-4000-8000-00000000053d"}
	sidorova = party{"type": "user", "userId": "ae9c0d0e-0000-4000-8000-00000000053e"}
)

// at is a moment, counted in seconds from the beginning of the test's day.
func at(second int) string {
	begin := time.Date(2026, 3, 1, 13, 0, 0, 250e6, time.FixedZone("", 5*3600))
	return begin.Add(time.Duration(second) * time.Second).Format("2006-01-02T15:04:05.000-07:00")
}

func started(id, direction string, second int) step {
	body := map[string]any{"timestamp": at(second), "externalId": id, "externalVatsPhone": "79229929292", "clientPhone": "79997775533", "direction": direction}
	if direction == "internal" {
		delete(body, "clientPhone")
		delete(body, "externalVatsPhone")
	}
	return step{KindStarted, body}
}

func event(leg, kind string, from, to party, second int) step {
	return step{KindEvent, map[string]any{
		"communicationId": "$communication", "externalId": "$external", "externalCallItemId": leg, "realtimeCallItemId": leg,
		"timestamp": at(second), "type": kind, "from": maps.Clone(from), "to": maps.Clone(to),
	}}
}

func finished(direction string, second int) step {
	s := started("$external", direction, second)
	s.kind, s.body["communicationId"] = KindFinished, "$communication"
	return s
}

func register(id, direction string, second int, items ...any) step {
	s := started(id, direction, second)
	s.kind, s.body["communicationId"] = KindRegister, "$communication"
	s.body["externalCreatedAt"], s.body["items"] = s.body["timestamp"], items
	delete(s.body, "timestamp")
	return s
}

// item lists a leg; from second start, or never answered if that is negative.
func item(id string, from, to party, start, end int) any {
	body := map[string]any{"id": id, "from": maps.Clone(from), "to": maps.Clone(to), "recordings": []any{}, "finishedAt": at(end)}
	if start >= 0 {
		body["startedAt"] = at(start)
	}
	return body
}

// goodCalls are calls without a breach.
func goodCalls() map[string][]step {
	return map[string][]step{
		"answered": answered("100.1"),
		"missed": {
			started("100.2", "inbound", 0),
			event("100.3", "appeared", client, petrova, 1),
			event("100.3", "disconnected", client, petrova, 9),
			event("100.3", "finished", client, petrova, 9),
			finished("inbound", 9),
			register("100.2", "inbound", 0, item("100.3", client, petrova, -1, 9)),
		},
		"IVR only": {
			started("100.4", "inbound", 0),
			finished("inbound", 9),
			register("100.4", "inbound", 0, item("100.4", client, anybody, -1, 9)),
		},
		"IVR only, node in front of the id": {
			started("pbx1-100.4", "inbound", 0),
			finished("inbound", 9),
			register("pbx1-100.4", "inbound", 0, item("100.4", client, anybody, -1, 9)),
		},
		"outbound": {
			started("100.5", "outbound", 0),
			event("100.5", "appeared", petrova, client, 0),
			event("100.5", "connected", petrova, client, 5),
			event("100.5", "disconnected", petrova, client, 60),
			event("100.5", "finished", petrova, client, 60),
			finished("outbound", 60),
			register("100.5", "outbound", 0, item("100.5", petrova, client, 5, 60)),
		},
		"internal": {
			started("100.6", "internal", 0),
			event("100.7", "appeared", petrova, sidorova, 0),
			event("100.7", "connected", petrova, sidorova, 5),
			event("100.7", "disconnected", petrova, sidorova, 60),
			event("100.7", "finished", petrova, sidorova, 60),
			finished("internal", 60),
			register("100.6", "internal", 0, item("100.7", petrova, sidorova, 5, 60)),
		},
		"ring group, then transferred outside": {
			started("100.8", "inbound", 0),
			event("100.9", "appeared", client, petrova, 1),
			event("100.10", "appeared", client, sidorova, 1),
			event("100.10", "connected", client, sidorova, 4),
			event("100.9", "disconnected", client, petrova, 4),
			event("100.10", "disconnected", client, sidorova, 30),
			event("100.11", "appeared", client, client, 30),
			event("100.11", "disconnected", client, client, 40),
			event("100.10", "finished", client, sidorova, 40),
			finished("inbound", 40),
			register("100.8", "inbound", 0, item("100.9", client, petrova, -1, 4),
				item("100.10", client, sidorova, 4, 30), item("100.11", client, client, -1, 40)),
		},
	}
}

// answered is the call that the tests of violations spoil: answered, held and
// resumed within one millisecond.
func answered(id string) []step {
	leg := id + "1"
	return []step{
		started(id, "inbound", 0),
		event(leg, "appeared", client, petrova, 1),
		event(leg, "connected", client, petrova, 5),
		event(leg, "paused", client, petrova, 5),
		event(leg, "connected", client, petrova, 5),
		event(leg, "disconnected", client, petrova, 60),
		event(leg, "finished", client, petrova, 60),
		finished("inbound", 60),
		register(id, "inbound", 0, item(leg, client, petrova, 5, 60)),
	}
}

// sender sends steps to a CRM without a network.
type sender struct {
	t      *testing.T
	crm    *CRM
	key    string
	learnt map[string]string
}

func newSender(t *testing.T, crm *CRM) *sender {
	s := &sender{t: t, crm: crm}
	s.authorize()
	return s
}

func (s *sender) authorize() {
	s.t.Helper()
	header := http.Header{}
	header.Set(headerAPIKey, "test-api-key")
	status, body := s.exchange(http.MethodPost, authorizePrivate, header, nil)
	var granted struct{ AccessKey string }
	if err := json.Unmarshal(body, &granted); status != http.StatusOK || err != nil || granted.AccessKey == "" {
		s.t.Fatalf("authorisation: %d %s %v", status, body, err)
	}
	s.key = granted.AccessKey
}

// exchange makes one request; the status is 0 when the connection is closed.
func (s *sender) exchange(method, path string, header http.Header, body []byte) (status int, answer []byte) {
	defer func() {
		if reason := recover(); reason != nil && reason != http.ErrAbortHandler {
			panic(reason)
		}
	}()
	request := httptest.NewRequestWithContext(s.t.Context(), method, path, bytes.NewReader(body))
	request.Header = header
	recorder := httptest.NewRecorder()
	s.crm.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.Bytes()
}

// ask makes a request that reports nothing, below the workspace.
func (s *sender) ask(method, path, contentType, body string) (status int, answer []byte) {
	header := http.Header{}
	header.Set(headerAccessKey, s.key)
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return s.exchange(method, "/api/v1/my-workspace/"+path, header, []byte(body))
}

func (s *sender) report(kind Kind, raw []byte) (status int, answer []byte) {
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	header.Set(headerAccessKey, s.key)
	return s.exchange(http.MethodPost, "/api/v1/my-workspace/"+callbacks+string(kind), header, raw)
}

func (s *sender) send(next step) (status int, answer []byte) {
	s.t.Helper()
	raw, err := json.Marshal(next.body)
	if err != nil {
		s.t.Fatal(err)
	}
	for placeholder, value := range s.learnt {
		raw = bytes.ReplaceAll(raw, []byte(placeholder), []byte(value))
	}
	status, answer = s.report(next.kind, raw)
	var ids struct{ ExternalID, ID string }
	if next.kind == KindStarted && status == http.StatusOK && json.Unmarshal(answer, &ids) == nil {
		s.learnt = map[string]string{"$external": ids.ExternalID, "$communication": ids.ID}
	}
	return status, answer
}

func (s *sender) play(steps []step) {
	s.t.Helper()
	for _, next := range steps {
		s.send(next)
	}
}

// breaches are the different rules broken, in alphabetical order.
func breaches(crm *CRM) []Breach {
	var all []Breach
	for _, violation := range crm.Violations() {
		all = append(all, violation.Breach)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func wantBreaches(t *testing.T, crm *CRM, want ...Breach) {
	t.Helper()
	if got := breaches(crm); !slices.Equal(got, want) {
		t.Errorf("broken rules %q, want %q\n%s", got, want, crm.Summary())
	}
}
