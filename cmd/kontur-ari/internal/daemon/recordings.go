package daemon

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
	"kontur-ari/recordings"
)

const (
	// uploadPauses times the longest pause after a request is the longest pause after an
	// upload, which costs more to repeat.
	uploadPauses = 10
	// repairTime is how long a file must stay unchanged if its header is wrong or it is
	// empty: Asterisk writes the lengths last.
	repairTime = 30 * time.Second
	// namedTime bounds the search for files that are named after a channel and that no
	// event named: most calls have none.
	namedTime = 10 * time.Second
)

// newCourier makes the part that uploads recordings; nil where it is switched off.
func newCourier(d *Daemon) (*recordings.Courier, error) {
	cfg := d.cfg
	if !cfg.Recordings.Enabled {
		return nil, nil
	}
	config := recordings.Config{
		Monitor:   recordings.Directory{Path: cfg.Recordings.Directory, InSwitch: cfg.Recordings.DirectoryInAsterisk},
		Voicemail: recordings.Directory{Path: cfg.Recordings.VoicemailDirectory, InSwitch: cfg.Recordings.VoicemailDirectoryInAsterisk},
		Patience: recordings.Patience{
			Still: cfg.Recordings.SettleTime, Repair: max(repairTime, cfg.Recordings.SettleTime), Appear: cfg.Recordings.MissingAfter, Named: namedTime,
		},
		Uploads:      cfg.Recordings.Uploads,
		FirstPause:   cfg.Delivery.FirstPause,
		LongestPause: uploadPauses * cfg.Delivery.LongestPause,
		Keep:         cfg.Recordings.KeepFor(),
		Scratch:      filepath.Join(cfg.Storage.Directory, scratchDirectory),

		BytesPerSecond: cfg.Recordings.UploadRate.Bytes(),
	}
	log := d.log.Named("recordings")
	config.Conversion = conversion(cfg, log)
	for i, name := range cfg.Recordings.Names {
		template, err := recordings.ParseTemplate(name)
		if err != nil {
			return nil, &setup.UnusableError{Err: fmt.Errorf("recordings.names[%d]: %w", i, err)}
		}
		config.Templates = append(config.Templates, template)
	}
	return recordings.New(config, d.store, d.client, recordings.Outside{
		Announced: d.dispatcher.WakeCall,
		Reachable: d.dispatcher.Reachable,
		Stored:    d.switcher,
	}, log), nil
}

// conversion returns how recordings are converted on this machine. Without a converter
// they are uploaded as they are.
func conversion(cfg configs.Config, log *zap.Logger) recordings.Conversion {
	always := cfg.Recordings.Format == formatMP3
	program, err := recordings.FindConverter()
	if err != nil && always {
		log.Warn("recordings are not converted, though recordings.format says mp3: install ffmpeg", zap.Error(err))
	}
	return recordings.Conversion{
		Program: program, TimeLimit: conversionTime, Always: always && err == nil,
	}
}

const (
	// formatMP3 is the recordings.format that converts everything.
	formatMP3 = "mp3"
	// scratchDirectory is where MP3s, and what was fetched from Asterisk, wait to be
	// uploaded, below storage.directory.
	scratchDirectory = "uploads"
	// conversionTime bounds one conversion: a file of six hours takes a minute or two.
	conversionTime = 15 * time.Minute
)

// recordingDetails are what /readyz shows of the recordings: how many are on their way
// in each state, and the age of the oldest.
func (d *Daemon) recordingDetails() map[string]any {
	if d.courier == nil {
		return map[string]any{"enabled": false}
	}
	details := map[string]any{"enabled": true, "now": d.courier.Stats()}
	ctx, cancel := context.WithTimeout(context.Background(), countWithin)
	defer cancel()
	counts, oldest, err := d.store.Count(ctx)
	if err != nil {
		return details
	}
	details["states"] = counts
	details["waiting"] = counts[bridge.RecordingSought] + counts[bridge.RecordingSettling] + counts[bridge.RecordingReady] + counts[bridge.RecordingUploaded]
	if !oldest.IsZero() {
		details["oldest"] = time.Since(oldest).Round(time.Second).String()
	}
	return details
}
