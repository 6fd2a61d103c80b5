package setup

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
	"kontur-ari/configs"
)

// Tracker returns a Tracker that knows the calls in progress of a store. Calls whose
// state can't be read are logged, and removed from the store.
func Tracker(ctx context.Context, people *directory.Directory, cfg configs.Config, db *store.Store, log *zap.Logger) (*tracker.Tracker, error) {
	open, ended, err := db.OpenCalls(ctx)
	if err != nil {
		return nil, err
	}
	recorded, err := ownRecordings(cfg)
	if err != nil {
		return nil, err
	}
	tr := tracker.New(people, tracker.Policy{
		ReportInternal: cfg.Calls.ReportInternal, Application: cfg.Asterisk.Application, Recordings: cfg.Recordings.Enabled, Make: recorded,
	})
	if unreadable, ok := errors.AsType[*tracker.UnreadableCallsError](tr.Restore(open, ended)); ok {
		log.Error("some calls in progress can't be taken up again", zap.Error(unreadable))
		if _, err := db.Commit(ctx, bridge.Batch{Gone: unreadable.Calls}); err != nil {
			return nil, err
		}
	}
	calls, _ := tr.Open()
	log.Info("calls in progress restored", zap.Int("calls", calls))
	return tr, nil
}

// ownRecordings returns which conversations Asterisk records for us.
func ownRecordings(cfg configs.Config) (tracker.OwnRecordingPolicy, error) {
	policy := tracker.OwnRecordingPolicy{Wanted: cfg.Recordings.Make, Internal: cfg.Recordings.MakeInternal, Users: cfg.Recordings.NeverUsers}
	numbers, err := Numbers(cfg)
	if err != nil {
		return policy, err
	}
	for _, number := range cfg.Recordings.NeverNumbers {
		policy.Numbers = append(policy.Numbers, numbers.Normalise(number))
	}
	return policy, nil
}
