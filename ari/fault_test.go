package ari_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/internal/secret"
)

// The Source notices a dead connection within 15 s, gives the right cause, and opens
// another one that begins with a snapshot.
func TestDeadConnectionIsNoticedAndReplaced(t *testing.T) {
	faults := map[string]struct {
		strike func(*aritest.Server)
		cause  ari.Cause
	}{
		"dropped":        {(*aritest.Server).Drop, ari.CauseClosed},
		"silent":         {(*aritest.Server).Silence, ari.CauseSilent},
		"deaf":           {(*aritest.Server).Deafen, ari.CauseDeaf},
		"filter is gone": {(*aritest.Server).ForgetFilter, ari.CauseDeaf},
		"application list hangs": {func(s *aritest.Server) {
			s.Slow("GET /applications/"+application, aritest.Forever)
		}, ari.CauseDeaf},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := aritest.StartInMemory(t)
				r := start(t, configFor(server))
				pass(61 * time.Second)
				r.states()
				fault.strike(server)
				struck := time.Now()
				for r.source.Status().State == ari.Flowing && time.Since(struck) < time.Minute {
					pass(100 * time.Millisecond)
				}
				if took := time.Since(struck); took > 15*time.Second {
					t.Errorf("noticed after %v", took)
				}
				if got := r.source.Status(); got.Cause != fault.cause || got.Reason == "" {
					t.Errorf("status %+v, want cause %s", got, fault.cause)
				}
				server.Slow("GET /applications/"+application, 0)
				pass(30 * time.Second)
				server.Emit(created(7))
				synctest.Wait()
				if diff := cmp.Diff([]string{"snapshot", "snapshot", "7"}, ids(r.got())); diff != "" {
					t.Error(diff)
				}
				if got := r.states(); !slices.Equal(got[len(got)-4:], upwards) || got[0] != ari.Disconnected {
					t.Errorf("states %v", got)
				}
				if warned := r.log.FilterLevelExact(zap.WarnLevel).Len(); warned != 1 {
					t.Errorf("%d warnings: %v", warned, r.log.All())
				}
			})
		})
	}
}

// In Asterisk's known deadlock the list of applications hangs while open
// websockets go on: a connection that brings events must not be given up.
func TestConnectionWithEventsSurvivesHangingCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Second)
		server.Slow("GET /applications/"+application, aritest.Forever)
		for n := range 120 {
			server.Emit(created(n))
			pass(time.Second)
		}
		if stats := r.source.Stats(); stats.Attempts != 1 || stats.Delivered != 121 {
			t.Errorf("%+v", stats)
		}
		if warned := r.log.FilterLevelExact(zap.WarnLevel).Len(); warned != 1 {
			t.Errorf("%d warnings", warned)
		}
	})
}

// Trouble at the start is a status that says what to check. It is logged once, and ends
// without a restart when it is repaired.
func TestTroubleAtStartIsAStatus(t *testing.T) {
	tests := map[string]struct {
		refusal int
		cause   ari.Cause
		names   string
	}{
		"bad password":   {http.StatusUnauthorized, ari.CauseUnauthorized, "asterisk.password"},
		"read-only user": {http.StatusForbidden, ari.CauseUnauthorized, "read_only"},
		"no ARI":         {http.StatusNotFound, ari.CauseNoARI, "ari.conf"},
		"starting up":    {http.StatusServiceUnavailable, ari.CauseFailed, "503"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := aritest.StartInMemory(t)
				server.Refuse(test.refusal)
				r := start(t, configFor(server))
				pass(time.Minute)
				status := r.source.Status()
				if status.State != ari.Disconnected || status.Cause != test.cause || !strings.Contains(status.Reason, test.names) {
					t.Errorf("status %+v", status)
				}
				if strings.Contains(status.Reason, aritest.Password) {
					t.Errorf("the password is in %q", status.Reason)
				}
				if r.log.Len() != 1 {
					t.Errorf("logged %v", r.log.All())
				}
				server.Refuse(0)
				pass(11 * time.Second)
				if got := r.source.Status().State; got != ari.Flowing {
					t.Errorf("state %s after it was put right", got)
				}
			})
		})
	}
}

func TestAsteriskAwayIsAStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, ari.Config{URL: "http://asterisk.test/ari", Username: "u", Password: secret.New("p"),
			Application: application, Transport: refusing{}})
		pass(time.Minute)
		if got := r.source.Status(); got.State != ari.Disconnected || got.Cause != ari.CauseUnreachable || !strings.Contains(got.Reason, "http.conf") {
			t.Errorf("status %+v", got)
		}
		if got := r.source.Stats().Attempts; got < 8 || got > 20 {
			t.Errorf("%d attempts in a minute", got)
		}
	})
}

// Every attempt comes at least 0.3 s after the end of the connection before it,
// however often connections end.
func TestReconnectionsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Second)
		for range 10 {
			// Longer than Timings.Stable: the next pause is the shortest again.
			pass(31 * time.Second)
			attempts := r.source.Stats().Attempts
			server.Drop()
			pass(299 * time.Millisecond)
			if got := r.source.Stats().Attempts; got != attempts {
				t.Fatal("reconnected within 0.3 s")
			}
			pass(time.Millisecond)
			if got := r.source.Stats().Attempts; got != attempts+1 {
				t.Fatal("not reconnected after 0.3 s")
			}
		}
		// Short-lived connections make the pauses grow.
		for range 10 {
			server.Drop()
			pass(299 * time.Millisecond)
		}
		before := r.source.Stats().Attempts
		pass(time.Minute)
		if got := r.source.Stats().Attempts - before; got > 1 {
			t.Errorf("%d attempts although nothing drops any more", got)
		}
	})
}

// A replaced Source stands down with an error in the log. It connects again only when
// the name has been free for a while.
func TestReplacedStandsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Minute)
		server.Replace(application)
		synctest.Wait()
		if got := r.source.Status().State; got != ari.StoodDown {
			t.Errorf("state %s at once", got)
		}
		pass(time.Second)
		status := r.source.Status()
		if status.State != ari.StoodDown || status.Cause != ari.CauseReplaced || !strings.Contains(status.Reason, "asterisk.application") {
			t.Errorf("status %+v", status)
		}
		if loud := r.log.FilterLevelExact(zap.ErrorLevel).Len(); loud != 1 {
			t.Errorf("%d errors logged", loud)
		}
		pass(24 * time.Hour)
		if got := r.source.Stats().Attempts; got != 1 || server.Listeners() != 0 {
			t.Errorf("fought: %d attempts", got)
		}

		server.Leave(application)
		pass(29 * time.Second)
		if got := r.source.Status().State; got != ari.StoodDown {
			t.Errorf("%s while the other may be reconnecting", got)
		}
		pass(20 * time.Second)
		if got := r.source.Status().State; got != ari.Flowing {
			t.Errorf("%s although the name is free", got)
		}
	})
}

// A handshake of our own that timed out, and that Asterisk serves late, replaces us too.
// The name is free at once then, so the Source connects again at once.
func TestReplacedByOwnLateHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Minute)
		server.Replace(application)
		server.Leave(application)
		pass(2 * time.Second)
		if got := r.source.Status().State; got != ari.Flowing {
			t.Errorf("state %s", got)
		}
		if got := r.log.FilterLevelExact(zap.ErrorLevel).Len(); got != 0 {
			t.Errorf("%d errors logged", got)
		}
	})
}

// Two daemons with one application name: the newer one works, the older one
// stands down; they don't replace each other again and again.
func TestTwoSourcesDoNotFight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		older := start(t, configFor(server))
		pass(time.Minute)
		newer := start(t, configFor(server))
		pass(time.Hour)
		if older.source.Status().State != ari.StoodDown || newer.source.Status().State != ari.Flowing {
			t.Errorf("older %+v, newer %+v", older.source.Status(), newer.source.Status())
		}
		if older.source.Stats().Attempts != 1 || newer.source.Stats().Attempts != 1 {
			t.Errorf("older %+v, newer %+v", older.source.Stats(), newer.source.Stats())
		}
	})
}

// The end of the context ends Run at once, whatever it is at.
func TestRunEndsPromptly(t *testing.T) {
	situations := map[string]func(*aritest.Server){
		"flowing":         func(*aritest.Server) {},
		"pausing":         func(s *aritest.Server) { s.Refuse(http.StatusServiceUnavailable) },
		"handshake hangs": func(s *aritest.Server) { s.Slow("GET /events", aritest.Forever) },
		"snapshot hangs":  func(s *aritest.Server) { s.Slow("GET /channels", aritest.Forever) },
		"stood down": func(s *aritest.Server) {
			time.AfterFunc(2*time.Second, func() { s.Replace(application) })
		},
	}
	for name, arrange := range situations {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := aritest.StartInMemory(t)
				arrange(server)
				r := start(t, configFor(server))
				pass(3 * time.Second)
				asked := time.Now()
				r.stop()
				if took := time.Since(asked); took > 0 {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}
