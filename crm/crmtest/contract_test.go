package crmtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const (
	goodStarted  = `{"timestamp":"2022-03-22T10:38:35.6152798+00:00","externalId":"333.434","externalVatsPhone":"79229929292","clientPhone":"79997775533","direction":"inbound"}`
	goodEvent    = `{"externalId":"333.434","externalCallItemId":"262.280","realtimeCallItemId":"262.280","timestamp":"2022-03-22T10:38:35.615+05:00","type":"appeared","from":{"type":"client"},"to":{"type":"user","userId":"ae9"}}`
	goodFailed   = `{"communicationId":"411"}`
	goodRegister = `{"items":[{"id":"143","from":{"type":"client"},"to":{"type":"user"},` +
		`"recordings":[{"fileId":"ceb","fileName":"ceb.mp3","contentType":"audio/mpeg","contentLength":"9216"}],` +
		`"finishedAt":"2022-03-18T07:27:59.0622478+00:00"}],"externalCreatedAt":"2022-03-17T10:18:58.998205+00:00","externalId":"262.280","direction":"outbound"}`
)

func TestContractTakesGoodBodies(t *testing.T) {
	contract := newContract("anonymous")
	for _, good := range []struct {
		kind Kind
		raw  string
	}{
		{KindStarted, goodStarted}, {KindFinished, goodStarted}, {KindEvent, goodEvent}, {KindFailed, goodFailed}, {KindRegister, goodRegister},
		{KindStarted, strings.Replace(goodStarted, "79997775533", "anonymous", 1)},
	} {
		if _, problems := contract.read(good.kind, []byte(good.raw)); len(problems) > 0 {
			t.Errorf("%s: %v", good.kind, problems)
		}
	}
}

func TestContractRefusesBadBodies(t *testing.T) {
	contract := newContract("anonymous")
	tests := []struct {
		name     string
		kind     Kind
		good     string
		old, new string // in the good body
		path     string // of the problem
	}{
		{"empty", KindStarted, goodStarted, goodStarted, "", "$"},
		{"null", KindStarted, goodStarted, goodStarted, "null", "$"},
		{"array", KindStarted, goodStarted, goodStarted, "[]", "$"},
		{"cut off", KindStarted, goodStarted, `"inbound"}`, `"inb`, "$"},
		{"something behind", KindStarted, goodStarted, `"inbound"}`, `"inbound"}{}`, "$"},
		{"not UTF-8", KindStarted, goodStarted, "333.434", "\xff", "$"},
		{"key twice", KindStarted, goodStarted, `"direction"`, `"externalId":"1","direction"`, "externalId"},
		{"key twice, inside", KindEvent, goodEvent, `{"type":"client"}`, `{"type":"client","type":"client"}`, "from.type"},
		{"unknown field", KindStarted, goodStarted, `"direction"`, `"duration":1,"direction"`, "duration"},
		{"unknown field, inside", KindEvent, goodEvent, `{"type":"client"}`, `{"type":"client","phone":"7"}`, "from.phone"},
		{"field missing", KindStarted, goodStarted, `"externalId":"333.434",`, ``, "externalId"},
		{"key in other case", KindStarted, goodStarted, `"externalId"`, `"externalID"`, "externalID"},
		{"null field", KindStarted, goodStarted, `"79997775533"`, `null`, "clientPhone"},
		{"empty field", KindStarted, goodStarted, `"79997775533"`, `""`, "clientPhone"},
		{"number for a string", KindStarted, goodStarted, `"79997775533"`, `79997775533`, "clientPhone"},
		{"plus in a phone", KindStarted, goodStarted, `"79997775533"`, `"+79997775533"`, "clientPhone"},
		{"other placeholder", KindStarted, goodStarted, `"79997775533"`, `"unknown"`, "clientPhone"},
		{"direction", KindStarted, goodStarted, `"inbound"`, `"in2bound"`, "direction"},
		{"timestamp with Z", KindStarted, goodStarted, `+00:00`, `Z`, "timestamp"},
		{"timestamp without fraction", KindStarted, goodStarted, `.6152798`, ``, "timestamp"},
		{"timestamp without offset", KindStarted, goodStarted, `+00:00`, ``, "timestamp"},
		{"timestamp of no day", KindStarted, goodStarted, `03-22`, `02-30`, "timestamp"},
		{"timestamp a number", KindStarted, goodStarted, `"2022-03-22T10:38:35.6152798+00:00"`, `1647945515`, "timestamp"},
		{"event type", KindEvent, goodEvent, `"appeared"`, `"ringing"`, "type"},
		{"party type", KindEvent, goodEvent, `"type":"client"`, `"type":"caller"`, "from.type"},
		{"party a string", KindEvent, goodEvent, `{"type":"client"}`, `"client"`, "from"},
		{"client with userId", KindEvent, goodEvent, `{"type":"client"}`, `{"type":"client","userId":"1"}`, "from.userId"},
		{"empty userId", KindEvent, goodEvent, `"ae9"`, `""`, "to.userId"},
		{"event without leg", KindEvent, goodEvent, `"realtimeCallItemId":"262.280",`, ``, "realtimeCallItemId"},
		{"event with direction", KindEvent, goodEvent, `"type":"appeared"`, `"type":"appeared","direction":"inbound"`, "direction"},
		{"failed with more", KindFailed, goodFailed, `}`, `,"externalId":"1"}`, "externalId"},
		{"failed without id", KindFailed, goodFailed, goodFailed, `{}`, "communicationId"},
		{"no items", KindRegister, goodRegister, `"items":[`, `"items":[],"x":[`, "items"},
		{"items an object", KindRegister, goodRegister, `"items":[`, `"items":{},"x":[`, "items"},
		{"item without recordings", KindRegister, goodRegister, `"recordings"`, `"records"`, "items[0].recordings"},
		{"recordings null", KindRegister, goodRegister, `"recordings":[`, `"recordings":null,"x":[`, "items[0].recordings"},
		{"length a number", KindRegister, goodRegister, `"9216"`, `9216`, "items[0].recordings[0].contentLength"},
		{"item never finished", KindRegister, goodRegister, `"finishedAt"`, `"startedAt"`, "items[0].finishedAt"},
		{"boolean", KindRegister, goodRegister, `"143"`, `true`, "items[0].id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			raw := strings.Replace(test.good, test.old, test.new, 1)
			_, problems := contract.read(test.kind, []byte(raw))
			for _, p := range problems {
				if p.path == test.path {
					return
				}
			}
			t.Errorf("no problem at %s, but %v, in %s", test.path, problems, raw)
		})
	}
}

func TestBadBodyIsAnsweredAsDocumented(t *testing.T) {
	crm := New(Options{})
	status, answer := newSender(t, crm).report(KindStarted, []byte(strings.Replace(goodStarted, "inbound", "in2bound", 1)))
	var problem struct {
		Errors  map[string][]string
		Title   string
		Status  int
		TraceID string
	}
	if err := json.Unmarshal(answer, &problem); err != nil {
		t.Fatal(err)
	}
	if status != http.StatusConflict || problem.Status != 400 || problem.Title == "" || problem.TraceID == "" || len(problem.Errors["direction"]) != 1 {
		t.Errorf("%d %s", status, answer)
	}
	wantBreaches(t, crm, BreachBody)
}

// FuzzContract looks for a body that makes the simulator itself fail.
func FuzzContract(f *testing.F) {
	for kind, raw := range map[Kind]string{KindStarted: goodStarted, KindEvent: goodEvent, KindFailed: goodFailed, KindRegister: goodRegister} {
		f.Add(string(kind), []byte(raw))
	}
	contract := newContract("anonymous")
	f.Fuzz(func(t *testing.T, kind string, raw []byte) {
		if !Kind(kind).isReport() {
			return
		}
		body, problems := contract.read(Kind(kind), raw)
		if len(problems) == 0 && body.ExternalID == "" && body.CommunicationID == "" {
			t.Errorf("a body without any id is good: %s", raw)
		}
	})
}
