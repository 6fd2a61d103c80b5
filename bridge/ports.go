package bridge

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrNoRoom means that an event was not taken, since memory is full of events that
// can't be stored.
var ErrNoRoom = errors.New("memory is full of events that can't be stored")

// Batch is what one transaction of a Journal holds: events exactly as received
// and everything they caused. It is stored whole or not at all.
type Batch struct {
	// Events are kept for support and replay, in order of arrival.
	Events []Entry
	// Changed are the calls whose state differs now, Gone those that are no
	// longer in progress and leave the store. A call is in one of the two at most.
	Changed []CallState
	Gone    []CallID
	// Ended are the reported calls that are over, to be remembered by id.
	Ended []CallID
	// Reports join the outbox in this order.
	Reports []Report
	// ClickToCalls are the calls that the CRM has ordered, and what became of the orders,
	// to be remembered as long as the journal.
	ClickToCalls []ClickToCallNews
	// Recorded are the channels whose recordings are to be looked for.
	Recorded []Recorded
}

// Entry is an event as the journal keeps it.
type Entry struct {
	Event Event
	// Received is when it was read, on the clock of this process.
	Received time.Time
	// Call is the call that it was found to belong to; "" for none.
	Call CallID
}

// CallState is a call in progress as the Tracker wants it back after a restart:
// opaque to everybody else.
type CallState struct {
	Call  CallID
	State []byte
}

// ErrStoreDamaged says that the file behind a Journal, an Outbox or ClickToCalls holds something else
// than was written. Nothing is stored any more: trying again is of no use, and the process must
// end. Its next start saves what can be read.
var ErrStoreDamaged = errors.New("the store is damaged")

// EndedMemory is how many ended calls are remembered by id, so that an event that
// comes late or twice cannot begin one of them anew.
const EndedMemory = 4096

// Journal is the durable side of the event line; package store implements it.
type Journal interface {
	// Commit makes a batch durable before it returns without an error, and returns its
	// reports as they wait in the outbox, in order; their Identity is not filled in.
	// After an error nothing of the batch is stored and the same batch may be given
	// again, unless the error matches [ErrStoreDamaged]. One caller at a time.
	Commit(ctx context.Context, batch Batch) ([]Pending, error)
	// OpenCalls returns the calls in progress, in no particular order, and the
	// last [EndedMemory] calls that ended, oldest first. It is called once,
	// before the first Commit.
	OpenCalls(ctx context.Context) (open []CallState, ended []CallID, err error)
}

// ClickToCalls remembers what the CRM has ordered; package store implements it. All
// methods may be called concurrently.
type ClickToCalls interface {
	// ClickToCallFor returns the order that was given for a communication, and why it was
	// refused, nil when it was not; false when none is remembered.
	ClickToCallFor(ctx context.Context, communicationID string) (click ClickToCall, refusal *Refusal, found bool, err error)
	// CallOf returns the call that the CRM knows by that communicationId, as far as
	// it has learnt it from us; false when none is remembered.
	CallOf(ctx context.Context, communicationID string) (call CallID, found bool, err error)
}

// Identity is how the CRM knows a call once it has answered its call-started.
// A field is "" until learnt; then our own id is used in its place.
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
	// Attempts counts the tries so far that failed and were recorded.
	Attempts int
	// Uncertain: one of them may have reached the CRM ([Result.NotTaken]).
	Uncertain bool
}

// Sent is a report that was sent, and how that ended.
type Sent struct {
	Pending Pending
	Result  Result
}

// Outbox is the durable side of the delivery line; package store implements it.
// All methods may be called concurrently.
type Outbox interface {
	// WaitingCalls looks at the next reports that wait, limit of them at most, whose
	// ids are above after, and returns their calls, each once, in order. last is the
	// id to go on after; more is false when there are none beyond it.
	WaitingCalls(ctx context.Context, after int64, limit int) (calls []CallID, last int64, more bool, err error)
	// ReturnedCalls returns the calls of reports that were dead letters and were put
	// back to be tried again.
	ReturnedCalls(ctx context.Context) ([]CallID, error)
	// Next returns the oldest waiting reports of each of the calls, each of them at
	// most, those of a call together and in order. A call of which nothing waits is
	// not in it.
	Next(ctx context.Context, calls []CallID, each int) ([]Pending, error)
	// MarkInFlight notes that reports are about to be tried: should the process die before it
	// can say how that ended, they may have reached the CRM. It is durable before it
	// returns nil.
	MarkInFlight(ctx context.Context, ids []int64) error
	// Settle records how sends ended, all of them or, after an error, none. It takes
	// reports that were Delivered or Refused out of the outbox (into the log of
	// deliveries or the dead letters), and those that are Expired, whose recordings are
	// to be uploaded again. It is durable before it returns nil.
	Settle(ctx context.Context, sent []Sent) error
	// Collapse takes reports out of the outbox that nobody needs any more: of each
	// of the calls that is over and of which nothing can have reached the CRM, all but
	// register-call or, where nobody was dialled, call-failed. It leaves the other
	// calls alone, and returns how many reports it took. It is durable before it
	// returns nil.
	Collapse(ctx context.Context, calls []CallID) (collapsed int, err error)
}

// Verdict is what the answer to a request means for the request.
type Verdict string

// The verdicts. All but Retry are final.
const (
	// Delivered: the CRM has it.
	Delivered Verdict = "delivered"
	// Retry: it may succeed later, after Result.RetryAfter at the earliest.
	Retry Verdict = "retry"
	// Refused: the CRM will never take this request as it is.
	Refused Verdict = "refused"
	// Expired: it was not sent, since it is about a file that the CRM has no more
	// ([Report.Expired]). It leaves the outbox, and the file is uploaded again.
	Expired Verdict = "expired"
)

// Result is the outcome of one send.
type Result struct {
	Verdict Verdict
	// RetryAfter is the least pause that the CRM asked for, of everybody; 0 when it
	// asked none.
	RetryAfter time.Duration
	// Learnt is what the answer taught about the call's identity.
	Learnt Identity
	// Everybody: what kept this request from the CRM keeps every other one as well,
	// such as a lacking access key.
	Everybody bool
	// NotTaken: the CRM does certainly not have it, since it never got there or since
	// the CRM said so. A failure without it leaves open whether it has.
	NotTaken bool
	// Status is the HTTP status, 0 when no answer came.
	Status int
	// Request and Answer are the bodies as sent and received (the answer cut to
	// a sane length). Access keys are in neither.
	Request, Answer []byte
	// Reason says in words why a request was not delivered: stable for one
	// cause, so that it can be logged once per change. "" when delivered.
	Reason string
}

// Upload is a file that the CRM is to keep.
type Upload struct {
	// Name and ContentType are what the CRM calls it and takes it for, such as
	// "1795401475.25.wav" and "audio/wav".
	Name, ContentType string
	// Size is how long it is, in bytes.
	Size int64
	// Open gives the file's content from its beginning. It may be called several times,
	// one after the other; each is closed by who called.
	Open func() (io.ReadCloser, error)
}

// UploadResult is the outcome of one upload.
type UploadResult struct {
	// Verdict is Delivered, and FileID the CRM's name of the file: a temporary one, which
	// must be told within a day, and only once. Retry: it may succeed later. Refused: the
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

// ErrChanged says that a file is not as long as it was when it was looked at.
var ErrChanged = errors.New("the file changed while it was read")

// Uploader uploads files; package crm implements it. UploadFile is called concurrently.
// It makes one attempt (renewing the access key at most once), which is broken off when
// nothing moves for too long or ctx ends, and never retries by itself: a result is
// always given. It holds no more of the file in memory than a moment's worth.
type Uploader interface {
	UploadFile(ctx context.Context, file Upload) UploadResult
}

// Sender delivers one report to the CRM; package crm implements it. Send is
// called concurrently for different calls, never for one call. It makes one
// attempt (renewing the access key at most once), is bounded in time by ctx and
// by a limit of its own, and never retries by itself: a Result is always given,
// also when no answer came.
type Sender interface {
	Send(ctx context.Context, report Report, identity Identity) Result
}
