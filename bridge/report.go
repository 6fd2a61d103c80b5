package bridge

import "time"

// CallID is the id of a whole call: the linkedid, that is, the id of its first
// channel. It becomes the externalId.
type CallID string

// LegID is the id of one employee's part in a call: the id of that employee's
// channel, with "-2", "-3" appended where that channel was a leg before.
type LegID string

// ReportKind names a request of the CRM's telephony contract.
type ReportKind string

// The requests about calls.
const (
	ReportStarted  ReportKind = "call-started"
	ReportEvent    ReportKind = "call-event"
	ReportFinished ReportKind = "call-finished"
	ReportFailed   ReportKind = "call-failed"
	ReportRegister ReportKind = "register-call"
	// ReportRecording says that the recording of a leg was uploaded. It comes after
	// register-call, which may be the first that the CRM learns of the call: the earlier
	// reports are left out if they could not be sent while the call went on.
	ReportRecording ReportKind = "call-recording"
)

// Direction is the direction of a whole call. The Tracker decides it (direction.go there).
type Direction string

// The three directions that the contract knows.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
	Internal Direction = "internal"
)

// LegEvent is what happened to a leg.
type LegEvent string

// The types of a call-event, in the order in which they come. paused and connected may
// alternate.
const (
	LegAppeared     LegEvent = "appeared"
	LegConnected    LegEvent = "connected"
	LegPaused       LegEvent = "paused"
	LegDisconnected LegEvent = "disconnected"
	LegFinished     LegEvent = "finished"
)

// PartyType says on whose side a party stands.
type PartyType string

// The two types of a party.
const (
	PartyUser   PartyType = "user"
	PartyClient PartyType = "client"
)

// Party is one end of a leg. UserID is set only for a user that the directory
// knows; an employee who is no CRM user is a user without UserID.
type Party struct {
	Type   PartyType `json:"type"`
	UserID string    `json:"userId,omitempty"`
}

// Report is one request for the CRM, in our own terms and with our own ids. Package crm
// turns it into the contract's body. The outbox keeps its JSON form, so a change to it
// needs a schema migration.
type Report struct {
	// Kind is the request. It decides which of the fields below are filled.
	Kind ReportKind `json:"kind"`
	// Call is the id of the call: our own externalId without the node prefix.
	Call CallID `json:"call"`
	// CommunicationID is the CRM's id of a click-to-call. For other calls it is "", and
	// the id from the answer to call-started is sent.
	CommunicationID string `json:"communicationId,omitempty"`
	// Time is when it happened, on the exchange's clock, in milliseconds. It is never
	// earlier than that of the call's report before.
	Time time.Time `json:"time"`
	// Direction, ClientPhone and VatsPhone describe the call (all kinds but
	// call-event, call-failed and call-recording). Phones are normalised; "" where not known.
	Direction   Direction `json:"direction,omitempty"`
	ClientPhone string    `json:"clientPhone,omitempty"`
	VatsPhone   string    `json:"vatsPhone,omitempty"`
	// Leg, Event, From and To are filled for a call-event, Leg alone for a call-recording.
	Leg   LegID    `json:"leg,omitempty"`
	Event LegEvent `json:"event,omitempty"`
	From  *Party   `json:"from,omitempty"`
	To    *Party   `json:"to,omitempty"`
	// FileID is the CRM's id of the file of a call-recording. The file is named in one
	// report only, within [FileLifetime] of Uploaded, when the upload was answered.
	FileID   string    `json:"fileId,omitempty"`
	Uploaded time.Time `json:"uploaded,omitzero"`
	// CreatedAt and Items are filled for a register-call. Items is never empty there.
	CreatedAt time.Time `json:"createdAt,omitzero"`
	Items     []Item    `json:"items,omitempty"`
}

// Item is one leg as register-call lists it.
type Item struct {
	ID   LegID `json:"id"`
	From Party `json:"from"`
	To   Party `json:"to"`
	// StartedAt is when the leg was answered; zero for a leg that never was.
	StartedAt time.Time `json:"startedAt,omitzero"`
	// FinishedAt is when the leg ended; always set.
	FinishedAt time.Time `json:"finishedAt"`
	// Recordings are the leg's uploaded recordings, for a call that is imported from
	// history. Other calls have call-recording instead. Each file is named in one of the
	// two, once.
	Recordings []UploadedFile `json:"recordings,omitempty"`
}

// UploadedFile is an uploaded file that register-call names.
type UploadedFile struct {
	// FileID is the CRM's id of the file. Name, ContentType and Size, in bytes, are those
	// of the upload.
	FileID      string `json:"fileId"`
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	Size        int64  `json:"size"`
}
