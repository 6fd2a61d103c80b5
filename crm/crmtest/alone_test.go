package crmtest

import (
	"net/http"
	"testing"
)

func TestACallReportedByItsRegisterCallAlone(t *testing.T) {
	alone := func(id string, started, finished int) []step {
		return without([]step{register(id, "inbound", 0, item("300.1", client, petrova, started, finished))}, 0, "communicationId")
	}
	twice := without([]step{register("300.0", "inbound", 0, item("300.1", client, petrova, 1, 9), item("300.1", client, petrova, 1, 9))}, 0, "communicationId")
	for _, test := range []struct {
		name    string
		options Options
		steps   []step
		want    []Breach
	}{
		{"where that is allowed", Options{Alone: true}, alone("300.0", 1, 9), nil},
		{"where it is not", Options{}, alone("300.0", 1, 9), []Breach{BreachUnknownCall}},
		{"with a leg that ends before it began", Options{Alone: true}, alone("300.0", 9, 1), []Breach{BreachRegister}},
		{"with a leg that is listed twice", Options{Alone: true}, twice, []Breach{BreachRegister}},
		{"and then by more", Options{Alone: true}, append(alone("300.0", 1, 9), started("300.0", "inbound", 10)), []Breach{BreachOrder}},
	} {
		t.Run(test.name, func(t *testing.T) {
			crm := New(test.options)
			newSender(t, crm).play(test.steps)
			wantBreaches(t, crm, test.want...)
		})
	}
}

// A register-call is repeated when its answer was lost.
func TestARepeatedRegisterCallAloneIsCounted(t *testing.T) {
	crm := New(Options{Alone: true})
	sender := newSender(t, crm)
	only := without([]step{register("300.0", "inbound", 0, item("300.1", client, petrova, 1, 9))}, 0, "communicationId")
	for range 2 {
		if status, answer := sender.send(only[0]); status != http.StatusOK {
			t.Errorf("%d %s", status, answer)
		}
	}
	wantBreaches(t, crm)
	if crm.Repeats() != 1 || len(crm.Calls()) != 1 || !crm.Calls()[0].Registered {
		t.Errorf("%s", crm.Summary())
	}
}
