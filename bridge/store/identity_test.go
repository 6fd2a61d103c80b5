package store_test

import (
	"testing"

	"kontur-ari/bridge"
)

func TestTheCRMsIDOfACallIsThereOnceItWasAnswered(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, bridge.Batch{Reports: []bridge.Report{report("1.5", bridge.ReportStarted)}})
	if identity, known, err := s.Identity(t.Context(), "1.5"); known || err != nil {
		t.Errorf("before the answer: %+v %t %v", identity, known, err)
	}
	learnt := bridge.Identity{ExternalID: "Asterisk/1.5", CommunicationID: "184"}
	settle(t, s, head(t, s, "1.5"), bridge.Result{Verdict: bridge.Delivered, Status: 200, Learnt: learnt})
	if identity, known, err := s.Identity(t.Context(), "1.5"); !known || err != nil || identity != learnt {
		t.Errorf("after it: %+v %t %v", identity, known, err)
	}
	if _, known, err := s.Identity(t.Context(), "1.6"); known || err != nil {
		t.Errorf("another call: %t %v", known, err)
	}
}
