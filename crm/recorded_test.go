package crm

import (
	"testing"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
)

// A call from history names its recordings in register-call, after their upload. A second
// report of such a file breaks the contract.
func TestARecordingIsNamedInRegisterCallOrByItself(t *testing.T) {
	for _, again := range []bool{false, true} {
		client, simulator, _ := newPair(t, crmtest.Options{Alone: true})
		content := noise(9216)
		uploaded := client.UploadFile(t.Context(), uploadOf(content))
		if uploaded.Verdict != bridge.Delivered {
			t.Fatalf("the upload: %+v", uploaded)
		}
		register := registerReport()
		register.Items[1].Recordings = []bridge.UploadedFile{{FileID: uploaded.FileID, Name: "in-101.mp3", ContentType: "audio/mpeg", Size: int64(len(content))}}
		wantResult(t, client.Send(t.Context(), register, bridge.Identity{}), bridge.Delivered, "")
		if again {
			recording := recordingReport()
			recording.Leg, recording.FileID = register.Items[1].ID, uploaded.FileID
			client.Send(t.Context(), recording, bridge.Identity{})
		}
		violations := simulator.Violations()
		if (len(violations) > 0) != again {
			t.Errorf("named again %t: violations %v", again, violations)
		}
		if files := simulator.Files(); len(files) != 1 || !files[0].Announced {
			t.Errorf("files: %+v", files)
		}
	}
}
