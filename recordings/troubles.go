package recordings

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/oncelog"
)

// troubles are the lasting failures of a Courier. Each is logged when it begins, for each
// new cause, and when it is over.
type troubles struct {
	store, fetch, upload, read, convert, remove *oncelog.Trouble
	// open has one for each directory.
	open map[bridge.RecordingPlace]*oncelog.Trouble
	// templates has a key for each template, mailboxes one for each pattern.
	templates, mailboxes *oncelog.Trouble
}

func newTroubles(log *zap.Logger) troubles {
	warn := func(begins, ends string) *oncelog.Trouble { return oncelog.New(log, zap.WarnLevel, begins, ends) }
	opening := func(place bridge.RecordingPlace) *oncelog.Trouble {
		directory := "the " + string(place) + " directory"
		return warn(directory+" can't be opened", directory+" can be opened again")
	}
	return troubles{
		store:   warn("the jobs of recordings can't be read or written", "the jobs of recordings can be read and written again"),
		fetch:   warn("recordings can't be fetched from Asterisk", "recordings can be fetched from Asterisk again"),
		upload:  warn("recordings can't be uploaded; they wait", "recordings are uploaded again"),
		read:    warn("recordings can't be read; they are looked at again", "recordings can be read again"),
		convert: warn("recordings can't be converted; they are uploaded as they are", "recordings are converted again"),
		remove:  warn("recordings that the CRM has can't be removed; it is tried again", "recordings that the CRM has can be removed again"),
		open: map[bridge.RecordingPlace]*oncelog.Trouble{
			bridge.PlaceMonitor: opening(bridge.PlaceMonitor), bridge.PlaceVoicemail: opening(bridge.PlaceVoicemail),
		},
		templates: warn("recordings can't be looked for", "recordings can be looked for again"),
		mailboxes: warn("mailboxes can't be looked for", "mailboxes can be looked for again"),
	}
}

// stored logs a failure of the store, and returns whether there was none. A failure
// because ctx has ended is none of the store's.
func (c *Courier) stored(ctx context.Context, err error) bool {
	if err == nil {
		c.troubles.store.Over("")
	} else if ctx.Err() == nil && !errors.Is(err, bridge.ErrStoreDamaged) {
		c.troubles.store.Failed("", err.Error())
	}
	return err == nil
}

// jobFields are the log fields that identify a job and its channel.
func jobFields(job bridge.RecordingJob) []zap.Field {
	return []zap.Field{
		zap.String("call", string(job.Recorded.Call)), zap.String("leg", string(job.Recorded.Leg)),
		zap.String("channel", string(job.Recorded.Channel)), zap.Int64("recording", job.ID),
	}
}

// fileFields are the log fields that identify a job and its file.
func fileFields(job bridge.RecordingJob) []zap.Field {
	return append(jobFields(job), zap.String("file", job.File.Name))
}
