package main

import (
	"encoding/json"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// recordingLine is a recording as the recordings commands write it in JSON.
type recordingLine store.RecordingEntry

// MarshalJSON writes the fields under their documented names.
func (e recordingLine) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Recording int64                 `json:"recording"`
		State     bridge.RecordingState `json:"state"`
		Call      bridge.CallID         `json:"call"`
		Leg       bridge.LegID          `json:"leg"`
		Channel   bridge.ChannelID      `json:"channel"`
		Made      time.Time             `json:"made"`
		Settled   time.Time             `json:"settled,omitzero"`
		Removed   time.Time             `json:"removed,omitzero"`
		Place     bridge.RecordingPlace `json:"place,omitempty"`
		File      string                `json:"file,omitempty"`
		Size      int64                 `json:"size,omitempty"`
		Attempts  int                   `json:"attempts"`
		Due       time.Time             `json:"due,omitzero"`
		Report    int64                 `json:"report,omitempty"`
		Reason    string                `json:"reason,omitempty"`
	}{
		e.ID, e.State, e.Recorded.Call, e.Recorded.Leg, e.Recorded.Channel, e.Made, e.Settled, e.Removed,
		e.File.Place, e.File.Name, e.Size, e.Attempts, e.Due, e.Report, e.Reason,
	})
}
