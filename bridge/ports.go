package bridge

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrNoRoom means that an event was not accepted, because memory is full of events that
// can't be stored.
var ErrNoRoom = errors.New("memory is full of events that can't be stored")

// Batch is the content of one transaction of a Journal: events as received and
// everything they caused. It is stored whole or not at all.
type Batch struct {
	// Events are kept for support and replay, in order of arrival.
	Events []Entry
	// Changed are the calls whose state differs now. Gone are the calls that are no
	// longer in progress and leave the store. A call is in one of the two at most.
	Changed []CallState
	Gone    []CallID
	// Ended are the ids of the reported calls that are over. The store remembers them.
	Ended []CallID
	// Reports join the outbox in this order.
	Reports []Report
	// ClickToCalls are the CRM's click-to-calls and their results. The store remembers
	// them as long as the journal.
	ClickToCalls []ClickToCallNews
	// Recorded are the channels whose recordings must be looked for.
	Recorded []Recorded
}

// Entry is an event as the journal keeps it.
type Entry struct {
	Event Event
	// Received is when it was read, on the clock of this process.
	Received time.Time
	// Call is the call that the Tracker attributed it to; "" for none.
	Call CallID
}

// CallState is a call in progress, as the Tracker restores it after a restart. State is
// opaque to all other packages.
type CallState struct {
	Call  CallID
	State []byte
}

// ErrStoreDamaged says that the file behind a Journal, an Outbox or ClickToCalls does not
// hold what was written. Nothing is stored any more, and a retry is of no use: the
// process must end. Its next start saves what can be read.
var ErrStoreDamaged = errors.New("the store is damaged")

// EndedMemory is how many ended calls are remembered by id. It keeps an event that comes
// late or twice from starting one of them again.
const EndedMemory = 4096

// Journal stores events and what they caused; package store implements it.
type Journal interface {
	// Commit makes a batch durable before it returns nil. It returns the batch's reports
	// as they wait in the outbox, in order, without their Identity. After an error
	// nothing of the batch is stored, and the same batch may be given again, unless the
	// error matches [ErrStoreDamaged]. One caller at a time.
	Commit(ctx context.Context, batch Batch) ([]Pending, error)
	// OpenCalls returns the calls in progress, in no particular order, and the
	// last [EndedMemory] calls that ended, oldest first. It is called once,
	// before the first Commit.
	OpenCalls(ctx context.Context) (open []CallState, ended []CallID, err error)
}

// ClickToCalls reads the click-to-calls that were stored; package store implements it.
// All methods may be called concurrently.
type ClickToCalls interface {
	// ClickToCallFor returns the click-to-call of a communication, and its refusal, nil
	// when it was not refused. found is false when none is stored.
	ClickToCallFor(ctx context.Context, communicationID string) (click ClickToCall, refusal *Refusal, found bool, err error)
	// CallOf returns the call that the CRM knows by that communicationId. found is false
	// when none is stored.
	CallOf(ctx context.Context, communicationID string) (call CallID, found bool, err error)
}

// Identity holds the CRM's ids of a call, from the answer to its call-started. A field is
// "" until it is known; until then our own id is sent in its place.
type Identity struct {
	ExternalID      string
	CommunicationID string
}

// Pending is a report that waits in the outbox.
type Pending struct {
	// ID grows in the order the reports were committed.
	ID int64
	// Committed is when that was, on the clock of this process, in milliseconds.
	Committed time.Time
	// Report is what to send.
	Report Report
	// Identity is what the CRM has answered for this call so far.
	Identity Identity
	// Attempts counts the failed attempts so far that were stored.
	Attempts int
	// Uncertain: one of them may have reached the CRM ([Result.NotTaken]).
	Uncertain bool
}

// Sent is a report that was sent, and the result.
type Sent struct {
	Pending Pending
	Result  Result
}

// Outbox stores the reports that wait to be sent; package store implements it. All
// methods may be called concurrently.
type Outbox interface {
	// WaitingCalls reads at most limit waiting reports whose ids are above after, and
	// returns their calls, each once, in order. The next call passes last as after; more
	// is false when no report is left beyond it.
	WaitingCalls(ctx context.Context, after int64, limit int) (calls []CallID, last int64, more bool, err error)
	// RetriedCalls returns the calls of dead letters that an operator put back into the
	// outbox.
	RetriedCalls(ctx context.Context) ([]CallID, error)
	// OldestWaiting returns the oldest waiting reports of each call, at most each of them
	// per call. The reports of a call are together and in order. Calls without waiting
	// reports are left out.
	OldestWaiting(ctx context.Context, calls []CallID, each int) ([]Pending, error)
	// MarkInFlight marks reports as in flight. If the process dies before RecordResults, they may have
	// reached the CRM. It is durable before it returns nil.
	MarkInFlight(ctx context.Context, ids []int64) error
	// RecordResults stores the results of sends, all of them or, after an error, none.
	// Delivered reports move to the log of deliveries, Refused ones to the dead letters.
	// Expired ones leave the outbox, and their recordings are uploaded again. It is
	// durable before it returns nil.
	RecordResults(ctx context.Context, sent []Sent) error
	// Collapse removes reports that register-call makes superfluous. It applies to those
	// of the calls that are over and of which no report can have reached the CRM. Of
	// these only register-call stays, or call-failed of a click-to-call that failed. It
	// returns how many reports it removed, and is durable before it returns nil.
	Collapse(ctx context.Context, calls []CallID) (collapsed int, err error)
}

// Verdict is what happens to a report after an attempt to send it.
type Verdict string

// The verdicts. All but Retry are final.
const (
	// Delivered: the CRM has it.
	Delivered Verdict = "delivered"
	// Retry: it may succeed later, after Result.RetryAfter at the earliest.
	Retry Verdict = "retry"
	// Refused: the CRM will never take this request as it is.
	Refused Verdict = "refused"
	// Expired: it was not sent, because the CRM no longer has the file that it names
	// ([Report.Expired]). It leaves the outbox, and the file is uploaded again.
	Expired Verdict = "expired"
)

// Result is the outcome of one send.
type Result struct {
	Verdict Verdict
	// RetryAfter is the shortest pause that the CRM asked for, for all requests; 0 when
	// it asked for none.
	RetryAfter time.Duration
	// Learnt holds the CRM's ids of the call from the answer.
	Learnt Identity
	// Everybody: the cause of the failure affects every other request too, as a missing
	// access key does.
	Everybody bool
	// NotTaken: the CRM certainly does not have the report, because it was never sent or
	// the CRM said so. After a failure without NotTaken the CRM may have it.
	NotTaken bool
	// Status is the HTTP status, 0 when no answer came.
	Status int
	// Request and Answer are the bodies as sent and received (the answer cut to
	// a sane length). Access keys are in neither.
	Request, Answer []byte
	// Reason says why a request was not delivered; "" when it was. It is stable for one
	// cause, so that it can be logged once per change.
	Reason string
}

// Upload is a file to be uploaded to the CRM.
type Upload struct {
	// Name and ContentType are the file's name and media type in the CRM, such as
	// "1795401475.25.wav" and "audio/wav".
	Name, ContentType string
	// Size is its length in bytes.
	Size int64
	// Open gives the file's content from its beginning. It may be called several times,
	// one after the other; each is closed by who called.
	Open func() (io.ReadCloser, error)
}

// UploadResult is the outcome of one upload.
type UploadResult struct {
	// Verdict is Delivered, and FileID the CRM's name of the file: a temporary one, which
	// must be reported within a day, and only once. Retry: it may succeed later. Refused: the
	// CRM will never take this file as it is.
	Verdict Verdict
	FileID  string
	// TooLarge: it was refused for its size.
	TooLarge bool
	// Unreadable: it was not the CRM that failed, but reading the file; [ErrChanged]
	// where that is shorter or longer than it was said to be.
	Unreadable error
	// RetryAfter, Status and Reason are as in a Result.
	RetryAfter time.Duration
	Status     int
	Reason     string
}

// ErrChanged means that the length of a file changed after it was measured.
var ErrChanged = errors.New("the file changed while it was read")

// Uploader uploads files; package crm implements it. UploadFile is called concurrently.
// It makes one attempt (renewing the access key at most once) and never retries by
// itself. It aborts the attempt when no data moves for too long or ctx ends, and returns
// a result in any case. It streams the file and holds only a small part in memory.
type Uploader interface {
	UploadFile(ctx context.Context, file Upload) UploadResult
}

// Sender delivers one report to the CRM; package crm implements it. Send is
// called concurrently for different calls, never for one call. It makes one attempt
// (renewing the access key at most once) and never retries by itself. It is bounded in
// time by ctx and by a limit of its own, and returns a Result also without an answer.
type Sender interface {
	Send(ctx context.Context, report Report, identity Identity) Result
}
