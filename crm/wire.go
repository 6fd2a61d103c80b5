package crm

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kontur-ari/bridge"
)

// The bodies below follow the contract's examples, field for field and in their
// order. What is not known is left out: never null, never "".

// callBody is the body of call-started and call-finished.
type callBody struct {
	Timestamp         stamp            `json:"timestamp"`
	CommunicationID   string           `json:"communicationId,omitempty"`
	ExternalID        string           `json:"externalId"`
	ExternalVatsPhone string           `json:"externalVatsPhone,omitempty"`
	ClientPhone       string           `json:"clientPhone,omitempty"`
	Direction         bridge.Direction `json:"direction"`
}

// eventBody is the body of call-event.
type eventBody struct {
	CommunicationID    string          `json:"communicationId,omitempty"`
	ExternalID         string          `json:"externalId"`
	ExternalCallItemID bridge.LegID    `json:"externalCallItemId"`
	RealtimeCallItemID bridge.LegID    `json:"realtimeCallItemId"`
	Timestamp          stamp           `json:"timestamp"`
	Type               bridge.LegEvent `json:"type"`
	From               partyBody       `json:"from"`
	To                 partyBody       `json:"to"`
}

// failedBody is the body of call-failed: the contract's parameter list, since
// its example there shows the body of another method.
type failedBody struct {
	CommunicationID string `json:"communicationId"`
}

// recordingBody is the body of call-recording: the contract's example, which lacks the
// realtimeCallItemId of its parameter list.
type recordingBody struct {
	CommunicationID    string       `json:"communicationId,omitempty"`
	ExternalID         string       `json:"externalId"`
	ExternalCallItemID bridge.LegID `json:"externalCallItemId"`
	RecordingFileID    string       `json:"recordingFileId"`
}

// registerBody is the body of register-call.
type registerBody struct {
	ExternalVatsPhone string           `json:"externalVatsPhone,omitempty"`
	ClientPhone       string           `json:"clientPhone,omitempty"`
	Items             []itemBody       `json:"items"`
	CommunicationID   string           `json:"communicationId,omitempty"`
	ExternalCreatedAt stamp            `json:"externalCreatedAt"`
	ExternalID        string           `json:"externalId"`
	Direction         bridge.Direction `json:"direction"`
}

type itemBody struct {
	ID   bridge.LegID `json:"id"`
	From partyBody    `json:"from"`
	To   partyBody    `json:"to"`
	// Recordings is always there, also where there are none.
	Recordings []fileBody `json:"recordings"`
	StartedAt  stamp      `json:"startedAt,omitzero"`
	FinishedAt stamp      `json:"finishedAt"`
}

// fileBody is a recording in register-call. Its length is a string, as in the contract's
// example.
type fileBody struct {
	FileID        string `json:"fileId"`
	FileName      string `json:"fileName"`
	ContentType   string `json:"contentType"`
	ContentLength int64  `json:"contentLength,string"`
}

type partyBody struct {
	Type   bridge.PartyType `json:"type"`
	UserID string           `json:"userId,omitempty"`
}

// stamp is a moment in the contract's form: RFC 3339 with a fraction and a
// numeric offset.
type stamp struct{ time.Time }

// MarshalJSON never writes "Z", as time.Time's own would. A zero moment is an error.
func (s stamp) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return nil, errors.New("a moment is missing")
	}
	return s.AppendFormat(nil, `"2006-01-02T15:04:05.000-07:00"`), nil
}

// encode turns a report into the request that the contract wants: the path
// below the workspace, and the body. It is pure. call-started and register-call
// name the call by our own externalId, the others by the CRM's where it is known
// (as the contract's examples do). An error means that the report lacks something
// that the contract requires, so it can never be sent.
func encode(report bridge.Report, identity bridge.Identity, nodePrefix string) (path string, body []byte, err error) {
	own, external := externalIDs(report.Call, identity, nodePrefix)
	if report.CommunicationID != "" {
		identity.CommunicationID = report.CommunicationID
	}
	if problem := lacking(report, identity); problem != "" {
		return "", nil, fmt.Errorf("crm: %s can't be sent: no %s", report.Kind, problem)
	}
	var value any
	switch report.Kind {
	case bridge.ReportStarted:
		value = newCallBody(report, own, identity.CommunicationID)
	case bridge.ReportFinished:
		value = newCallBody(report, external, identity.CommunicationID)
	case bridge.ReportEvent:
		value = eventBody{
			CommunicationID: identity.CommunicationID, ExternalID: external,
			ExternalCallItemID: report.Leg, RealtimeCallItemID: report.Leg,
			Timestamp: stamp{report.Time}, Type: report.Event,
			From: partyBody(*report.From), To: partyBody(*report.To),
		}
	case bridge.ReportFailed:
		value = failedBody{CommunicationID: identity.CommunicationID}
	case bridge.ReportRecording:
		value = recordingBody{
			CommunicationID: identity.CommunicationID, ExternalID: external,
			ExternalCallItemID: report.Leg, RecordingFileID: report.FileID,
		}
	case bridge.ReportRegister:
		value = newRegisterBody(report, own, identity.CommunicationID)
	}
	if body, err = json.Marshal(value); err != nil {
		return "", nil, fmt.Errorf("crm: %s can't be sent: %w", report.Kind, err)
	}
	return "communications/callbacks/telephony/" + string(report.Kind), body, nil
}

// externalIDs are the two forms of a call's externalId: our own, and the one to use
// once call-started is answered, which is the CRM's where it is known.
func externalIDs(call bridge.CallID, identity bridge.Identity, nodePrefix string) (own, external string) {
	own = string(call)
	if nodePrefix != "" {
		own = nodePrefix + "-" + own
	}
	return own, cmp.Or(identity.ExternalID, own)
}

// lacking names what a report would need to be sent; "" when it is complete.
func lacking(report bridge.Report, identity bridge.Identity) string {
	isEvent, isFailed := report.Kind == bridge.ReportEvent, report.Kind == bridge.ReportFailed
	isRecording := report.Kind == bridge.ReportRecording
	switch {
	case report.Call == "" && !isFailed:
		return "call id"
	case isFailed && identity.CommunicationID == "":
		return "communicationId"
	case isEvent && (report.Leg == "" || report.Event == ""):
		return "leg or event"
	case isEvent && (report.From == nil || report.To == nil || report.From.Type == "" || report.To.Type == ""):
		return "parties"
	case isRecording && (report.Leg == "" || report.FileID == ""):
		return "leg or file"
	case !isEvent && !isFailed && !isRecording && report.Direction == "":
		return "direction"
	case report.Kind == bridge.ReportRegister && len(report.Items) == 0:
		return "items"
	}
	switch report.Kind {
	case bridge.ReportStarted, bridge.ReportEvent, bridge.ReportFinished, bridge.ReportFailed, bridge.ReportRegister, bridge.ReportRecording:
		return ""
	}
	return "request of that name in the contract"
}

func newCallBody(report bridge.Report, externalID, communicationID string) callBody {
	return callBody{
		Timestamp: stamp{report.Time}, CommunicationID: communicationID, ExternalID: externalID,
		ExternalVatsPhone: report.VatsPhone, ClientPhone: report.ClientPhone, Direction: report.Direction,
	}
}

func newRegisterBody(report bridge.Report, externalID, communicationID string) registerBody {
	body := registerBody{
		ExternalVatsPhone: report.VatsPhone, ClientPhone: report.ClientPhone, CommunicationID: communicationID,
		ExternalCreatedAt: stamp{report.CreatedAt}, ExternalID: externalID, Direction: report.Direction,
	}
	for _, item := range report.Items {
		files := make([]fileBody, len(item.Recordings))
		for i, file := range item.Recordings {
			files[i] = fileBody{file.FileID, file.Name, file.ContentType, file.Size}
		}
		body.Items = append(body.Items, itemBody{
			ID: item.ID, From: partyBody(item.From), To: partyBody(item.To), Recordings: files,
			StartedAt: stamp{item.StartedAt}, FinishedAt: stamp{item.FinishedAt},
		})
	}
	return body
}
