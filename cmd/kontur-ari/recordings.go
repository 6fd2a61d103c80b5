package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/delivery"
	"kontur-ari/bridge/tracker"
	"kontur-ari/configs"
	"kontur-ari/recordings"
)

const (
	// uploadPauses is how many times as long as the longest pause after a request the
	// longest after an upload is: it costs more to make.
	uploadPauses = 10
	// repairTime is how long a file must not have changed whose header is wrong, or that
	// holds nothing: Asterisk writes the lengths last.
	repairTime = 30 * time.Second
	// namedTime is how long files are looked for that are named after a channel and that
	// Asterisk did not tell of: most calls have none.
	namedTime = 10 * time.Second
)

// newCourier makes who brings recordings to the CRM; nil where none are wanted.
func newCourier(cfg configs.Config, l *line) (*recordings.Courier, error) {
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
	log := l.log.Named("recordings")
	config.Conversion = conversion(cfg, log)
	for i, name := range cfg.Recordings.Names {
		template, err := recordings.ParseTemplate(name)
		if err != nil {
			return nil, unusableConfig{fmt.Errorf("recordings.names[%d]: %w", i, err)}
		}
		config.Templates = append(config.Templates, template)
	}
	courier := recordings.New(config, l.db, l.client, recordings.Outside{
		Told:      l.dispatcher.WakeCall,
		Reachable: func() bool { return l.dispatcher.Stats().Gate != delivery.Shut },
		Stored:    l.switcher,
	}, log)
	l.intake.Recorded(courier.Look)
	return courier, nil
}

// makePolicy is which conversations are recorded by Asterisk for us.
func makePolicy(cfg configs.Config) (tracker.OwnRecordingPolicy, error) {
	policy := tracker.OwnRecordingPolicy{Wanted: cfg.Recordings.Make, Internal: cfg.Recordings.MakeInternal, Users: cfg.Recordings.NeverUsers}
	numbers, err := numbersOf(cfg)
	if err != nil {
		return policy, err
	}
	for _, number := range cfg.Recordings.NeverNumbers {
		policy.Numbers = append(policy.Numbers, numbers.Normalise(number))
	}
	return policy, nil
}

// conversion is how recordings are converted on this machine. Where they are to be and
// nothing is installed for it, they are uploaded as they are.
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
	// formatMP3 is the recordings.format that has everything converted.
	formatMP3 = "mp3"
	// scratchDirectory is where MP3s, and what was fetched from Asterisk, wait to be
	// uploaded, below storage.directory.
	scratchDirectory = "uploads"
	// conversionTime bounds one conversion: a file of six hours takes a minute or two.
	conversionTime = 15 * time.Minute
)

// removedPlaces are those whose files are removed once the CRM has them.
func (l *line) removedPlaces() []bridge.RecordingPlace {
	if l.courier == nil {
		return nil
	}
	return l.courier.Removes()
}

// recordingDetails are what /readyz shows of the recordings: of those on their way how
// many there are in each state, and for how long the oldest has been.
func (l *line) recordingDetails() map[string]any {
	if l.courier == nil {
		return map[string]any{"enabled": false}
	}
	details := map[string]any{"enabled": true, "now": l.courier.Stats()}
	ctx, cancel := context.WithTimeout(context.Background(), countWithin)
	defer cancel()
	counts, oldest, err := l.db.Count(ctx)
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
