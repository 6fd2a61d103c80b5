package recordings

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"kontur-ari/bridge"
	"kontur-ari/internal/retry"
)

// Config is where recordings are and how they are uploaded. All fields but Templates,
// Voicemail, BytesPerSecond, Conversion and Keep are required.
type Config struct {
	// Monitor is the directory of recorded conversations, Voicemail that of the mailboxes.
	Monitor, Voicemail Directory
	// Templates are the forms of file names of which Asterisk reports nothing.
	Templates []Template
	// Patience is how long to wait for a file and its writer.
	Patience Patience
	// Uploads is how many files are uploaded at the same time.
	Uploads int
	// BytesPerSecond limits all uploads together; 0 means no limit.
	BytesPerSecond int64
	// FirstPause and LongestPause bound the pause after failed uploads in a row
	// ([retry.Pauses]).
	FirstPause, LongestPause time.Duration
	// Scratch is a directory for converted and fetched files until they are uploaded. It
	// must hold nothing else: [Courier.Run] empties it.
	Scratch string
	// Conversion is how recordings are made smaller.
	Conversion Conversion
	// Keep is how long a file stays once the CRM has it; negative means forever.
	Keep time.Duration
}

// Outside is what a Courier needs of other packages. No function may block.
type Outside struct {
	// Announced is called after a report of a call was put into the outbox.
	Announced func(bridge.CallID)
	// Reachable reports whether the CRM can be reached, as far as is known.
	Reachable func() bool
	// Stored gives access to the recordings that the switch keeps; nil where it keeps none.
	Stored bridge.StoredRecordings
}

// Courier uploads recordings. Look and Stats may be called concurrently at any time; Run
// is called once.
type Courier struct {
	config   Config
	pace     pace
	jobs     bridge.RecordingJobs
	uploader bridge.Uploader
	outside  Outside
	log      *zap.Logger
	limit    *rate.Limiter
	pauses   retry.Pauses
	convert  *converter
	troubles troubles
	wakeups  wakeups
	counts   counts
	uploads  uploadClaims
	sizes    shrinking
}

// counts are since the start.
type counts struct{ uploads, bytes, failed atomic.Int64 }

// Stats are counts since the start, and what is going on now.
type Stats struct {
	// Uploads is how many files the CRM took, Bytes their sum, Failed how many attempts
	// failed.
	Uploads int64 `json:"uploads"`
	Bytes   int64 `json:"bytes"`
	Failed  int64 `json:"failed"`
	// Uploading is how many uploads are under way.
	Uploading int `json:"uploading"`
}

// New returns a Courier that does nothing until [Courier.Run].
func New(config Config, jobs bridge.RecordingJobs, uploader bridge.Uploader, outside Outside, log *zap.Logger) *Courier {
	c := &Courier{
		config: config, pace: usualPace, jobs: jobs, uploader: uploader, outside: outside, log: log,
		pauses:   retry.Pauses{First: config.FirstPause, Longest: config.LongestPause},
		convert:  newConverter(config.Conversion, config.Scratch),
		troubles: newTroubles(log),
		wakeups:  newWakeups(),
		uploads:  newUploadClaims(),
		sizes:    shrinking{rates: make(map[int64]bitRate)},
	}
	if config.BytesPerSecond > 0 {
		c.limit = rate.NewLimiter(rate.Limit(config.BytesPerSecond), readAtOnce)
	}
	return c
}

// Run works until ctx ends. It then breaks off uploads, which the next Courier repeats,
// and returns when all its goroutines have ended.
func (c *Courier) Run(ctx context.Context) {
	c.logDirectories()
	if err := emptied(c.config.Scratch); err != nil {
		c.log.Warn("recordings can't be converted, nor fetched from Asterisk", zap.Error(err))
	}
	var loops sync.WaitGroup
	// Two loops, because a switch that doesn't answer must not hold up files on disk.
	loops.Go(func() {
		c.watch(ctx, c.wakeups.files, func(place bridge.RecordingPlace) bool { return !inSwitch(place) })
	})
	loops.Go(func() { c.watch(ctx, c.wakeups.fetches, inSwitch) })
	loops.Go(func() { c.upload(ctx) })
	loops.Go(func() { c.passNews(ctx) })
	loops.Go(func() { c.remove(ctx) })
	loops.Wait()
}

// Stats may be called at any time.
func (c *Courier) Stats() Stats {
	return Stats{
		Uploads: c.counts.uploads.Load(), Bytes: c.counts.bytes.Load(), Failed: c.counts.failed.Load(),
		Uploading: c.uploads.running(),
	}
}
