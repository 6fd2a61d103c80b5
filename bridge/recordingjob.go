package bridge

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

// RecordingState says how far a recording is on its way to the CRM.
type RecordingState string

// The states. Those from RecordingAnnounced on are final, unless an operator puts a job back.
const (
	// RecordingSought: the recordings of a channel are looked for.
	RecordingSought RecordingState = "sought"
	// RecordingSettling: a file is there or expected, and may still be written.
	RecordingSettling RecordingState = "settling"
	// RecordingReady: the file is complete and is uploaded once its call is over.
	RecordingReady RecordingState = "ready"
	// RecordingUploaded: the file is uploaded; its call-recording waits in the outbox.
	RecordingUploaded RecordingState = "uploaded"
	// RecordingAnnounced: the CRM has taken the call-recording.
	RecordingAnnounced RecordingState = "told"
	// RecordingRefused: the CRM refuses the file or its call-recording, for the job's
	// Reason.
	RecordingRefused RecordingState = "refused"
	// RecordingEmpty: there is no sound in it. RecordingMissing: there is no such file.
	RecordingEmpty   RecordingState = "empty"
	RecordingMissing RecordingState = "missing"
)

// RecordingPlace says where a recording is.
type RecordingPlace string

// The places.
const (
	// PlaceMonitor is the directory of the recordings, PlaceVoicemail that of the
	// mailboxes: names are relative to it.
	PlaceMonitor   RecordingPlace = "monitor"
	PlaceVoicemail RecordingPlace = "voicemail"
	// PlaceSwitch: the exchange keeps it and serves it by its name. PlaceOwn: the same,
	// for a recording that we have made; it is deleted once the CRM has it.
	PlaceSwitch RecordingPlace = "switch"
	PlaceOwn    RecordingPlace = "made"
)

// RecordingFile names a recording. Its bytes need not be UTF-8.
type RecordingFile struct {
	Place RecordingPlace
	Name  string
}

// SoundEndings are the endings of sound files. If a recording has several files, the first
// ending wins: a converted file comes before its source.
var SoundEndings = []string{".mp3", ".ogg", ".opus", ".m4a", ".flac", ".wav", ".WAV", ".wav49", ".wav16", ".gsm", ".g722", ".sln", ".sln16", ".alaw", ".ulaw"}

// Stem returns the name without the ending of a sound file. Files with the same stem are
// one recording.
func (f RecordingFile) Stem() string {
	if ending := path.Ext(f.Name); slices.Contains(SoundEndings, ending) {
		return strings.TrimSuffix(f.Name, ending)
	}
	return f.Name
}

// RecordingJob is a recording on its way to the CRM, or a channel whose recordings are
// looked for.
type RecordingJob struct {
	ID    int64
	State RecordingState
	// Recorded is the recording's channel and owner, with all names that the channel has
	// shown.
	Recorded Recorded
	// Made is when the job was created, on the clock of this process.
	Made time.Time
	// File is the recording; zero for RecordingSought. Size, in bytes, and Modified are
	// those of the moment when the file was found complete.
	File     RecordingFile
	Size     int64
	Modified time.Time
	// Attempts counts the uploads that failed since then. Due is the time of the next
	// one. Reason is why the last one failed, or why the state is final.
	Attempts int
	Due      time.Time
	Reason   string
}

// ErrNoRecording means that the job no longer exists or must not be uploaded.
var ErrNoRecording = errors.New("there is no such recording to be uploaded")

// RecordingJobs stores the recordings that are on their way; package store implements it.
// A write is durable before its method returns nil. All methods may be called
// concurrently, except for those about one job.
type RecordingJobs interface {
	// SoughtOrSettling returns at most limit jobs in these two states whose ids are above
	// after, in order.
	SoughtOrSettling(ctx context.Context, after int64, limit int) ([]RecordingJob, error)
	// Found replaces the job that looked for a channel's recordings by one job a file.
	// files exist; missing were named by the channel and do not exist. A file that has a
	// job already, through another channel, keeps it and belongs to the leg that
	// answered first.
	Found(ctx context.Context, sought RecordingJob, files []RecordingFile, missing []RecordingFile) error
	// Keep stores a job's State, File, Size, Modified, Attempts, Due and Reason.
	Keep(ctx context.Context, job RecordingJob) error
	// DueUploads returns at most limit jobs in RecordingReady whose calls are over, in the
	// order in which they were due. next is when the next of the others is due, zero for
	// none.
	DueUploads(ctx context.Context, now time.Time, limit int) (due []RecordingJob, next time.Time, err error)
	// Uploaded puts the call-recording of a job into the outbox, behind the other reports
	// of its call, and returns that call. at is when the upload was answered. A repetition
	// with the same file changes nothing. It fails with [ErrNoRecording] if the job is
	// not RecordingReady.
	Uploaded(ctx context.Context, job RecordingJob, fileID string, at time.Time) (CallID, error)
	// AnnouncedBefore returns at most limit jobs in RecordingAnnounced whose call-recording was
	// delivered before a moment and whose files are in one of the places. Jobs that were
	// given to Removed are left out. Removed marks a file as deleted or to be left alone.
	AnnouncedBefore(ctx context.Context, before time.Time, places []RecordingPlace, limit int) ([]RecordingJob, error)
	Removed(ctx context.Context, job RecordingJob) error
	// Count counts the jobs in each state. oldest is when the oldest job was made that is
	// neither final nor RecordingUploaded; zero for none.
	Count(ctx context.Context) (counts map[RecordingState]int, oldest time.Time, err error)
}

// ErrNoStoredRecording means that the exchange has no recording of that name.
var ErrNoStoredRecording = errors.New("the switch has no such recording")

// StoredRecordings gives access to the recordings that the exchange keeps; package ari
// implements it. Both methods may be called concurrently. They fail with
// [ErrNoStoredRecording] if there is none of that name.
type StoredRecordings interface {
	// FetchRecording writes the file of a recording to into. It is bounded by ctx.
	FetchRecording(ctx context.Context, name string, into io.Writer) error
	DeleteRecording(ctx context.Context, name string) error
}

// FileLifetime is how long the CRM keeps an uploaded file that no report names (platform:
// API Files). A call-recording must reach the CRM within it.
const FileLifetime = 24 * time.Hour

// fileMargin is how long before the end of that time a report counts as too late. It
// covers the difference of clocks and the duration of a request.
const fileMargin = time.Hour

// Expired reports whether the CRM no longer has the file that the report names, or is
// about to delete it. Such a report must not be sent; its recording is uploaded again
// ([Expired]).
func (r *Report) Expired(now time.Time) bool {
	return !r.Uploaded.IsZero() && now.Sub(r.Uploaded) > FileLifetime-fileMargin
}
