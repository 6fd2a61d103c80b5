package recordings

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"kontur-ari/bridge"
)

// newsPause is how long after the end of a call the store is looked at: the CRM is told
// of the end first, and of many calls that end the store is asked once.
const newsPause = 100 * time.Millisecond

// Config is where recordings are and how they are brought to the CRM. All fields but
// Templates, Voicemail, BytesPerSecond, Conversion and Keep are needed.
type Config struct {
	// Monitor is where conversations are recorded, Voicemail where the mailboxes are.
	Monitor, Voicemail Directory
	// Templates are how the dial plan names its recordings, for those whose names the
	// switch does not tell.
	Templates []Template
	// Patience is how long is waited for a file and its writer.
	Patience Patience
	// Uploads is how many files are uploaded at a time.
	Uploads int
	// BytesPerSecond bounds all uploads together; 0: nothing does.
	BytesPerSecond int64
	// FirstPause is the pause after a first upload that failed, about; it doubles with
	// every failure in a row up to LongestPause.
	FirstPause, LongestPause time.Duration
	// Scratch is a directory for what is made smaller, or fetched from the switch, until
	// it is uploaded. Nothing else may be in it: it is emptied at the start.
	Scratch string
	// Conversion is how recordings are made smaller.
	Conversion Conversion
	// Keep is how long a file stays once the CRM has it; negative: for good.
	Keep time.Duration
}

// Outside is what a Courier needs of others. Neither function may block.
type Outside struct {
	// Told is called when a report of a call was put into the outbox.
	Told func(bridge.CallID)
	// Reachable tells whether the CRM can be reached, as far as is known.
	Reachable func() bool
	// Stored are the recordings that the switch keeps; nil where there are none.
	Stored bridge.StoredRecordings
}

// Courier brings recordings to the CRM. Look and Stats may be called from anywhere at any
// time; Run is called once.
type Courier struct {
	config   Config
	jobs     bridge.RecordingJobs
	uploader bridge.Uploader
	outside  Outside
	log      *zap.Logger
	limit    *rate.Limiter
	convert  *converter
	trouble  *trouble

	// Each has room for one, and tells that there may be something to do: news all three
	// of the others, a moment later.
	news, looking, fetching, uploading chan struct{}
	counts                             counts

	mu sync.Mutex
	// busy are the jobs that are being uploaded, past those that were since the store was
	// last asked what is to be: its answer may be older than their end.
	busy, past map[int64]bool
	// smaller are the jobs whose files the CRM found too large, and how they are to be
	// converted. A new process finds that out again.
	smaller map[int64]bitRate
}

// counts are since the start.
type counts struct{ uploads, bytes, failed atomic.Int64 }

// Stats are counts since the start, and what is going on now.
type Stats struct {
	// Uploads were taken by the CRM, Bytes in all; Failed were not.
	Uploads int64 `json:"uploads"`
	Bytes   int64 `json:"bytes"`
	Failed  int64 `json:"failed"`
	// Uploading is how many are under way.
	Uploading int `json:"uploading"`
}

// New makes a Courier.
func New(config Config, jobs bridge.RecordingJobs, uploader bridge.Uploader, outside Outside, log *zap.Logger) *Courier {
	c := &Courier{
		config: config, jobs: jobs, uploader: uploader, outside: outside, log: log, trouble: &trouble{log: log},
		news: make(chan struct{}, 1), looking: make(chan struct{}, 1), fetching: make(chan struct{}, 1), uploading: make(chan struct{}, 1), busy: make(map[int64]bool), past: make(map[int64]bool),
		convert: newConverter(config.Conversion, config.Scratch), smaller: make(map[int64]bitRate),
	}
	if config.BytesPerSecond > 0 {
		c.limit = rate.NewLimiter(rate.Limit(config.BytesPerSecond), readAtOnce)
	}
	return c
}

// Look tells that there may be recordings, or that calls are over. It never blocks.
func (c *Courier) Look() { nudge(c.news) }

// passNews tells looking, fetching and uploading of the news, a moment later and of all of
// that moment together, until ctx ends.
func (c *Courier) passNews(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-c.news:
			pause(ctx, newsPause)
			c.lookAgain()
			nudge(c.uploading)
		}
	}
}

// lookAgain tells that there may be jobs to be looked after.
func (c *Courier) lookAgain() {
	nudge(c.looking)
	nudge(c.fetching)
}

func nudge(channel chan struct{}) {
	select {
	case channel <- struct{}{}:
	default:
	}
}

// Run works until ctx ends; then uploads are broken off, and will be made again by the
// next Courier. It returns when all its goroutines have ended.
func (c *Courier) Run(ctx context.Context) {
	// What keeps a directory from being read is told at the start, and not with the first
	// recording.
	open := c.open()
	for place, directory := range c.directories() {
		if open.by[place] == nil && open.failed == nil {
			c.log.Info("a directory of recordings is not there yet", zap.String("place", string(place)), zap.String("directory", directory.Path))
		}
	}
	open.close()
	if err := emptied(c.config.Scratch); err != nil {
		c.log.Warn("recordings can't be converted, nor fetched from Asterisk", zap.Error(err))
	}
	var parts sync.WaitGroup
	// A switch that does not answer keeps nobody from looking at files.
	parts.Go(func() { c.look(ctx, c.looking, func(place bridge.RecordingPlace) bool { return !inSwitch(place) }) })
	parts.Go(func() { c.look(ctx, c.fetching, inSwitch) })
	parts.Go(func() { c.upload(ctx) })
	parts.Go(func() { c.passNews(ctx) })
	parts.Go(func() { c.remove(ctx) })
	parts.Wait()
}

// Stats may be called at any time.
func (c *Courier) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{Uploads: c.counts.uploads.Load(), Bytes: c.counts.bytes.Load(), Failed: c.counts.failed.Load(), Uploading: len(c.busy)}
}

// pause waits, or returns false when ctx ends before.
func pause(ctx context.Context, long time.Duration) bool {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
