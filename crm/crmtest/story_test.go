package crmtest

import (
	"net/http"
	"slices"
	"testing"
)

func TestGoodCallsBreakNoRule(t *testing.T) {
	for name, steps := range goodCalls() {
		t.Run(name, func(t *testing.T) {
			crm := New(Options{})
			sender := newSender(t, crm)
			for _, next := range steps {
				if status, answer := sender.send(next); status != http.StatusOK {
					t.Errorf("%s: %d %s", next.kind, status, answer)
				}
			}
			wantBreaches(t, crm)
			if calls := crm.Calls(); len(calls) != 1 || !calls[0].Registered || len(calls[0].Requests) != len(steps) {
				t.Errorf("calls: %+v", calls)
			}
			if crm.Repeats() != 0 {
				t.Errorf("%d repeats", crm.Repeats())
			}
		})
	}
}

func TestInterleavedCallsBreakNoRule(t *testing.T) {
	crm := New(Options{})
	one, two := newSender(t, crm), newSender(t, crm)
	first, second := answered("200.1"), answered("200.2")
	for i := range first {
		one.send(first[i])
		two.send(second[i])
	}
	wantBreaches(t, crm)
	want := []string{
		"started(inbound)", "L1 appeared", "L1 connected", "L1 paused", "L1 connected",
		"L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER",
	}
	for _, call := range crm.Calls() {
		if got := call.Sequence(); !slices.Equal(got, want) {
			t.Errorf("call %s: %q", call.ID, got)
		}
	}
}

func TestOrderedCallThatFails(t *testing.T) {
	for name, steps := range map[string][]step{
		"before it began": {},
		"unanswered phone": {
			{KindStarted, map[string]any{"timestamp": at(0), "externalId": "300.1", "communicationId": "ordered-1", "direction": "outbound", "clientPhone": "79997775533"}},
			event("300.1", "appeared", petrova, client, 0),
			event("300.1", "disconnected", petrova, client, 9),
			event("300.1", "finished", petrova, client, 9),
		},
	} {
		t.Run(name, func(t *testing.T) {
			crm := New(Options{})
			crm.ClickToCall("ordered-1")
			sender := newSender(t, crm)
			sender.play(steps)
			failed := step{KindFailed, map[string]any{"communicationId": "ordered-1"}}
			if status, answer := sender.send(failed); status != http.StatusOK {
				t.Errorf("call-failed: %d %s", status, answer)
			}
			wantBreaches(t, crm)
			calls := crm.Calls()
			if len(calls) != 1 || !calls[0].Failed || !calls[0].Over() {
				t.Fatalf("calls: %+v", calls)
			}
			if sequence := calls[0].Sequence(); len(sequence) != len(steps)+1 || sequence[len(steps)] != "CALL-FAILED" {
				t.Errorf("%q", sequence)
			}
		})
	}
}

func TestCallsThatDidNotFail(t *testing.T) {
	ordered := func(steps []step) []step { return with(steps, 0, "communicationId", "ordered-1") }
	failed := step{KindFailed, map[string]any{"communicationId": "ordered-1"}}
	outbound := func() []step {
		return ordered([]step{
			started("300.1", "outbound", 0),
			event("300.1", "appeared", petrova, client, 0),
			event("300.1", "connected", petrova, client, 5),
			event("300.1", "disconnected", petrova, client, 9),
			event("300.1", "finished", petrova, client, 9),
			failed,
		})
	}
	tests := []struct {
		name  string
		steps []step
		want  []Breach
	}{
		{"answered", outbound(), []Breach{BreachLeg}},
		{"without a leg", append(outbound()[:1], failed), []Breach{BreachOrder}},
		{"without the finished event", drop(drop(outbound(), 4), 2), []Breach{BreachOrder}},
		{"finished too", append(drop(outbound(), 2)[:4], finished("outbound", 9), failed), []Breach{BreachOrder}},
		{"registered too", append(drop(outbound(), 2), register("300.1", "outbound", 0, item("300.1", petrova, client, -1, 9))), []Breach{BreachOrder}},
		{"started afterwards", append([]step{failed}, outbound()[:1]...), []Breach{BreachOrder}},
		{"never ordered and never started", []step{{KindFailed, map[string]any{"communicationId": "other"}}}, []Breach{BreachUnknownCall}},
		{"never ordered", append(drop(without(outbound(), 0, "communicationId"), 2)[:4], step{KindFailed, map[string]any{"communicationId": "$communication"}}), []Breach{BreachCommand}},
		{"ordered, but started without its id", without(outbound()[:2], 0, "communicationId"), nil},
		{"two calls under one order", append(outbound()[:1], ordered([]step{started("300.2", "outbound", 1)})...), []Breach{BreachCommand}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			crm := New(Options{})
			crm.ClickToCall("ordered-1")
			crm.ClickToCall("ordered-1") // a repeated order is the same
			newSender(t, crm).play(test.steps)
			wantBreaches(t, crm, test.want...)
		})
	}
}

// insert puts a step in front of the i-th; replace puts it in its place; drop
// leaves the i-th out; swap exchanges two.
func insert(steps []step, i int, s step) []step  { return slices.Insert(steps, i, s) }
func replace(steps []step, i int, s step) []step { steps[i] = s; return steps }
func drop(steps []step, i int) []step            { return slices.Delete(steps, i, i+1) }
func swap(steps []step, i, k int) []step         { steps[i], steps[k] = steps[k], steps[i]; return steps }

// with changes one field of the i-th step's body.
func with(steps []step, i int, name string, value any) []step {
	steps[i].body[name] = value
	return steps
}

func without(steps []step, i int, name string) []step {
	delete(steps[i].body, name)
	return steps
}

// onItem changes the register-call item of the answered call.
func onItem(steps []step, change func(map[string]any)) []step {
	change(steps[8].body["items"].([]any)[0].(map[string]any))
	return steps
}

// The steps of the call that is spoilt: 0 started, 1 appeared, 2 connected,
// 3 paused, 4 connected, 5 disconnected, 6 finished, 7 CALL-FINISHED, 8 REGISTER.
func TestEveryViolationIsFound(t *testing.T) {
	const leg = "100.11"
	late := func(kind string) step { return event(leg, kind, client, petrova, 60) }
	tests := []struct {
		name  string
		spoil func([]step) []step
		want  []Breach
	}{
		{"no call-started", func(s []step) []step { return drop(s, 0) }, []Breach{BreachUnknownCall}},
		{"call-started again at the end", func(s []step) []step { return insert(s, 8, started("100.1", "inbound", 61)) }, []Breach{BreachRepeat}},
		{"event sent again later", func(s []step) []step { return insert(s, 6, s[1]) }, []Breach{BreachRepeat}},
		{"leg connected before it appeared", func(s []step) []step { return drop(s, 1) }, []Breach{BreachLeg}},
		{"leg appeared twice", func(s []step) []step { return insert(s, 2, event(leg, "appeared", client, petrova, 2)) }, []Breach{BreachLeg}},
		{"leg paused before it was connected", func(s []step) []step { return insert(s, 2, event(leg, "paused", client, petrova, 2)) }, []Breach{BreachLeg}},
		{"leg disconnected twice", func(s []step) []step { return insert(s, 6, event(leg, "disconnected", client, petrova, 61)) }, []Breach{BreachLeg, BreachTime}},
		{"leg connected after it was disconnected", func(s []step) []step { return insert(s, 6, late("connected")) }, []Breach{BreachLeg}},
		{"leg never disconnected", func(s []step) []step { return drop(s, 5) }, []Breach{BreachLeg, BreachRegister}},
		{"another leg not disconnected", func(s []step) []step { return insert(s, 2, event("100.12", "appeared", client, sidorova, 2)) }, []Breach{BreachLeg, BreachRegister}},
		{"finished on a leg that was never connected", func(s []step) []step {
			s = insert(s, 2, event("100.12", "appeared", client, sidorova, 2))
			s = insert(s, 3, event("100.12", "disconnected", client, sidorova, 2))
			return replace(s, 8, event("100.12", "finished", client, sidorova, 60))
		}, []Breach{BreachLeg, BreachRegister}},
		{"no finished event", func(s []step) []step { return drop(s, 6) }, []Breach{BreachOrder}},
		{"finished twice", func(s []step) []step { return insert(s, 7, event(leg, "finished", client, petrova, 61)) }, []Breach{BreachLeg, BreachOrder, BreachTime}},
		{"leg between finished and call-finished", func(s []step) []step { return insert(s, 7, event("100.12", "appeared", client, petrova, 60)) }, []Breach{BreachOrder, BreachRegister}},
		{"call-finished without the phones", func(s []step) []step {
			end := finished("inbound", 60)
			delete(end.body, "clientPhone")
			delete(end.body, "externalVatsPhone")
			return replace(s, 7, end)
		}, []Breach{BreachParties}},
		{"register-call with another client", func(s []step) []step {
			s[8].body["clientPhone"] = "70000000000"
			return s
		}, []Breach{BreachParties}},
		{"register-call with another number of ours", func(s []step) []step {
			s[8].body["externalVatsPhone"] = "70000000001"
			return s
		}, []Breach{BreachParties}},
		{"no clientPhone at all", func(s []step) []step {
			for _, i := range []int{0, 7, 8} {
				delete(s[i].body, "clientPhone")
			}
			return s
		}, []Breach{BreachParties}},
		{"no call-finished", func(s []step) []step { return drop(s, 7) }, []Breach{BreachOrder}},
		{"call-finished twice", func(s []step) []step { return insert(s, 8, finished("inbound", 61)) }, []Breach{BreachRepeat}},
		{"event after call-finished", func(s []step) []step { return insert(s, 8, late("connected")) }, []Breach{BreachLeg, BreachOrder}},
		{"register-call before call-finished", func(s []step) []step { return swap(s, 7, 8) }, []Breach{BreachOrder}},
		{"register-call twice", func(s []step) []step {
			return append(s, register("100.1", "inbound", -1, item(leg, client, petrova, 5, 60)))
		}, []Breach{BreachRepeat}},
		{"call-failed after call-finished", func(s []step) []step {
			return replace(s, 8, step{KindFailed, map[string]any{"communicationId": "$communication"}})
		}, []Breach{BreachCommand, BreachLeg, BreachOrder}},
		{"register-call after call-failed", func(s []step) []step {
			return replace(s, 7, step{KindFailed, map[string]any{"communicationId": "$communication"}})
		}, []Breach{BreachCommand, BreachLeg, BreachOrder}},
		{"time goes back", func(s []step) []step { return with(s, 3, "timestamp", at(4)) }, []Breach{BreachTime}},
		{"item of an unknown leg", func(s []step) []step { return onItem(s, func(i map[string]any) { i["id"] = "100.99" }) }, []Breach{BreachRegister}},
		{"leg listed twice", func(s []step) []step {
			return replace(s, 8, register("100.1", "inbound", 0, item(leg, client, petrova, 5, 60), item(leg, client, petrova, 5, 60)))
		}, []Breach{BreachRegister}},
		{"startedAt is not the first connected", func(s []step) []step { return onItem(s, func(i map[string]any) { i["startedAt"] = at(6) }) }, []Breach{BreachRegister}},
		{"startedAt left out", func(s []step) []step { return onItem(s, func(i map[string]any) { delete(i, "startedAt") }) }, []Breach{BreachRegister}},
		{"finishedAt is not disconnected", func(s []step) []step { return onItem(s, func(i map[string]any) { i["finishedAt"] = at(61) }) }, []Breach{BreachRegister}},
		{"item with another user", func(s []step) []step { return onItem(s, func(i map[string]any) { i["to"] = sidorova }) }, []Breach{BreachRegister}},
		{"externalCreatedAt after the start", func(s []step) []step { return with(s, 8, "externalCreatedAt", at(1)) }, []Breach{BreachRegister}},
		{"direction changes", func(s []step) []step { return with(s, 7, "direction", "outbound") }, []Breach{BreachParties}},
		{"inbound leg from a user", func(s []step) []step { return with(s, 1, "from", anybody) }, []Breach{BreachParties}},
		{"our externalId after the CRM's was answered", func(s []step) []step { return with(s, 2, "externalId", "100.1") }, []Breach{BreachIdentity}},
		{"the CRM's externalId in register-call", func(s []step) []step { return with(s, 8, "externalId", "$external") }, []Breach{BreachIdentity}},
		{"no communicationId", func(s []step) []step { return without(s, 7, "communicationId") }, []Breach{BreachIdentity}},
		{"no communicationId in register-call", func(s []step) []step { return without(s, 8, "communicationId") }, []Breach{BreachIdentity}},
		{"another communicationId", func(s []step) []step { return with(s, 5, "communicationId", "other") }, []Breach{BreachIdentity}},
		{"communicationId that was not ordered", func(s []step) []step { return with(s, 0, "communicationId", "other") }, []Breach{BreachCommand}},
		{"two leg ids in one event", func(s []step) []step { return with(s, 2, "realtimeCallItemId", "other") }, []Breach{BreachIdentity}},
		{"unknown call", func(s []step) []step { return with(s, 5, "externalId", "Asterisk/other") }, []Breach{BreachLeg, BreachRegister, BreachUnknownCall}},
		{"field that the contract does not know", func(s []step) []step { return with(s, 7, "duration", 60) }, []Breach{BreachBody, BreachOrder}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			crm := New(Options{})
			sender := newSender(t, crm)
			sender.learnt = map[string]string{"$external": "Asterisk/100.1", "$communication": guid(1000)}
			sender.play(test.spoil(answered("100.1")))
			wantBreaches(t, crm, test.want...)
		})
	}
}

func TestPartiesOfOtherDirections(t *testing.T) {
	tests := []struct {
		name, direction string
		from, to        party
		want            []Breach
	}{
		{"outbound from a client", "outbound", client, client, []Breach{BreachParties}},
		{"outbound to a user", "outbound", petrova, anybody, []Breach{BreachParties}},
		{"internal from a client", "internal", client, petrova, []Breach{BreachParties}},
		{"internal to a client", "internal", petrova, client, []Breach{BreachParties}},
		{"internal between users", "internal", petrova, anybody, nil},
		{"outbound to a client", "outbound", petrova, client, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			crm := New(Options{})
			newSender(t, crm).play([]step{started("1.1", test.direction, 0), event("1.2", "appeared", test.from, test.to, 1)})
			wantBreaches(t, crm, test.want...)
		})
	}
}

func TestInternalCallHasNoClientPhone(t *testing.T) {
	crm := New(Options{})
	newSender(t, crm).play([]step{{KindStarted, map[string]any{
		"timestamp": at(0), "externalId": "1.1", "direction": "internal", "clientPhone": "102",
	}}})
	wantBreaches(t, crm, BreachParties)
}

func TestLeglessCall(t *testing.T) {
	legless := func(items ...any) []step {
		return []step{started("1.1", "inbound", 0), finished("inbound", 9), register("1.1", "inbound", 0, items...)}
	}
	for name, items := range map[string][]any{
		"two items":      {item("1.1", client, anybody, -1, 9), item("1.1", client, anybody, -1, 9)},
		"other id":       {item("1.2", client, anybody, -1, 9)},
		"a user's id":    {item("1.1", client, petrova, -1, 9)},
		"answered":       {item("1.1", client, anybody, 5, 9)},
		"user to client": {item("1.1", anybody, client, -1, 9)},
	} {
		t.Run(name, func(t *testing.T) {
			crm := New(Options{})
			newSender(t, crm).play(legless(items...))
			wantBreaches(t, crm, BreachRegister)
		})
	}
}
