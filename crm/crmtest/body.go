package crmtest

import "time"

// Body is the body of a call report as it was understood. Which fields are
// filled depends on the request's kind; a field that was not sent is zero.
type Body struct {
	Timestamp          time.Time `json:"timestamp"`
	CommunicationID    string    `json:"communicationId"`
	ExternalID         string    `json:"externalId"`
	ExternalVatsPhone  string    `json:"externalVatsPhone"`
	ClientPhone        string    `json:"clientPhone"`
	Direction          string    `json:"direction"`
	ExternalCallItemID string    `json:"externalCallItemId"`
	RealtimeCallItemID string    `json:"realtimeCallItemId"`
	RecordingFileID    string    `json:"recordingFileId"`
	Type               string    `json:"type"`
	From               Party     `json:"from"`
	To                 Party     `json:"to"`
	ExternalCreatedAt  time.Time `json:"externalCreatedAt"`
	Items              []Item    `json:"items"`
}

// Party is one end of a leg: Type is "user" or "client".
type Party struct {
	Type   string `json:"type"`
	UserID string `json:"userId"`
}

// String is "client", "user" or "user <id>".
func (p Party) String() string {
	if p.UserID == "" {
		return p.Type
	}
	return p.Type + " " + p.UserID
}

// Item is a leg as register-call lists it. StartedAt is zero for a leg that was
// never answered.
type Item struct {
	ID         string      `json:"id"`
	From       Party       `json:"from"`
	To         Party       `json:"to"`
	Recordings []Recording `json:"recordings"`
	StartedAt  time.Time   `json:"startedAt"`
	FinishedAt time.Time   `json:"finishedAt"`
}

// Recording is a recording of a leg as register-call lists it.
type Recording struct {
	FileID        string `json:"fileId"`
	FileName      string `json:"fileName"`
	ContentType   string `json:"contentType"`
	ContentLength string `json:"contentLength"`
}
