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

// The states. Those from RecordingTold on are final, but for what is put back.
const (
	// RecordingSought: what was recorded of a channel is looked for.
	RecordingSought RecordingState = "sought"
	// RecordingSettling: there is a file, or there should be, and it may still be written.
	RecordingSettling RecordingState = "settling"
	// RecordingReady: the file is whole, and is to be uploaded once its call is over.
	RecordingReady RecordingState = "ready"
	// RecordingUploaded: its call-recording waits in the outbox.
	RecordingUploaded RecordingState = "uploaded"
	// RecordingTold: the CRM has taken the call-recording.
	RecordingTold RecordingState = "told"
	// RecordingRefused: the CRM will not have the file, or its call-recording, for the
	// job's Reason.
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
	// PlaceSwitch: the switch has it, and gives it out by its name there. PlaceMade: it was
	// made there for us, and goes once the CRM has it.
	PlaceSwitch RecordingPlace = "switch"
	PlaceMade   RecordingPlace = "made"
)

// RecordingFile names a recording. Its bytes need not be UTF-8.
type RecordingFile struct {
	Place RecordingPlace
	Name  string
}

// SoundEndings are the endings of the names of sound files, the best first where there are
// several of one recording: what was converted goes before what it was made of.
var SoundEndings = []string{".mp3", ".ogg", ".opus", ".m4a", ".flac", ".wav", ".WAV", ".wav49", ".wav16", ".gsm", ".g722", ".sln", ".sln16", ".alaw", ".ulaw"}

// Stem is the name without the ending of a sound file. Files that differ in nothing else
// are one recording.
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
	// Recorded is whose it is; the names in it are all that the channel has shown.
	Recorded Recorded
	// OwnRecordings is when the job was, on the clock of this process.
	Made time.Time
	// File is the recording; zero for RecordingSought. Its Size, in bytes, and Modified
	// are as they were when it was found to be whole.
	File     RecordingFile
	Size     int64
	Modified time.Time
	// Attempts counts the uploads that failed since it was found to be whole, Due is when
	// the next is to be made, Reason is why the last failed or why the state is final.
	Attempts int
	Due      time.Time
	Reason   string
}

// ErrNoRecording says that there is no such job any more, or that it is not to be
// uploaded.
var ErrNoRecording = errors.New("there is no such recording to be uploaded")

// RecordingJobs is the durable side of the line of recordings; package store implements
// it. What is written is durable before a method returns nil. All methods may be called
// concurrently, but those about one job one after the other.
type RecordingJobs interface {
	// SoughtOrSettling returns the jobs in these states whose ids are above after, limit
	// of them at most, in order.
	SoughtOrSettling(ctx context.Context, after int64, limit int) ([]RecordingJob, error)
	// Found puts the recordings of a channel in the place of the job that looked for
	// them: files are there, missing are names that were told and are not. A file that
	// another channel has led to already stays one job, and belongs to the leg that
	// answered first.
	Found(ctx context.Context, sought RecordingJob, files []RecordingFile, missing []RecordingFile) error
	// Keep stores a job's State, File, Size, Modified, Attempts, Due and Reason.
	Keep(ctx context.Context, job RecordingJob) error
	// DueUploads returns the jobs in RecordingReady whose calls are over, those that were
	// due first first, limit of them at most; and when the next of the others is due, zero
	// for none.
	DueUploads(ctx context.Context, now time.Time, limit int) (due []RecordingJob, next time.Time, err error)
	// Uploaded puts the call-recording of a job into the outbox, behind the other reports
	// of its call, and returns which call that is. at is when the upload was answered. It
	// may be repeated with the same file, and then does nothing more.
	// [ErrNoRecording] where the job is not RecordingReady.
	Uploaded(ctx context.Context, job RecordingJob, fileID string, at time.Time) (CallID, error)
	// ToldBefore returns the jobs in RecordingTold whose call-recording was taken before a
	// moment, whose files are in one of the places, and were not given to Removed, limit of
	// them at most. Removed notes that a file is not there any more, or is not to be looked at again.
	ToldBefore(ctx context.Context, before time.Time, places []RecordingPlace, limit int) ([]RecordingJob, error)
	Removed(ctx context.Context, job RecordingJob) error
	// Count counts the jobs in each state, and says when the oldest was made that is
	// neither final nor RecordingUploaded; zero for none.
	Count(ctx context.Context) (counts map[RecordingState]int, oldest time.Time, err error)
}

// ErrNoStoredRecording says that the switch has no recording of that name.
var ErrNoStoredRecording = errors.New("the switch has no such recording")

// StoredRecordings are the recordings that the switch keeps; package ari implements it.
// Both methods may be called concurrently, and err with [ErrNoStoredRecording] where there
// is none of that name.
type StoredRecordings interface {
	// FetchRecording writes the file of a recording into a writer. It is bounded by ctx.
	FetchRecording(ctx context.Context, name string, into io.Writer) error
	DeleteRecording(ctx context.Context, name string) error
}

// FileLifetime is how long the CRM keeps a file that was uploaded and not told of
// (platform: API Files): an uploaded recording must be told within it.
const FileLifetime = 24 * time.Hour

// fileMargin is how long before that a file is not told of any more: clocks differ, and a
// request takes its time.
const fileMargin = time.Hour

// Expired tells whether a report is of a file that the CRM has no more, or is about to
// forget. It must not be sent: its recording is uploaded again ([Expired]).
func (r *Report) Expired(now time.Time) bool {
	return !r.Uploaded.IsZero() && now.Sub(r.Uploaded) > FileLifetime-fileMargin
}
