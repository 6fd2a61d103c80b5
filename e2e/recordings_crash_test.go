package e2e_test

import (
	"database/sql"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
)

// crashPhase is a step of bringing a recording to the CRM, in which kontur-ari is killed.
type crashPhase struct {
	name string
	// slow makes the CRM prolong the phase, and sends on begun when the phase begins. A
	// phase without it begins at the end of the call.
	slow func(crm *crmtest.CRM, begun chan<- struct{})
	// lasts is about how long the phase takes.
	lasts time.Duration
	// repeats is how many requests of the phase the CRM may receive again after the crash.
	repeats int
}

// onKind applies a rule to one request of a kind, and sends on begun when it arrives.
func onKind(kind crmtest.Kind, rule crmtest.Rule) func(*crmtest.CRM, chan<- struct{}) {
	return func(crm *crmtest.CRM, begun chan<- struct{}) {
		rule.Kind, rule.Times = kind, 1
		rule.Match = func(crmtest.Request) bool {
			select {
			case begun <- struct{}{}:
			default:
			}
			return true
		}
		crm.Fail(rule)
	}
}

const slowly = 300 * time.Millisecond

var crashPhases = []crashPhase{
	{name: "found and settled", lasts: time.Second},
	{name: "uploaded", slow: onKind(crmtest.KindFile, crmtest.Rule{Delay: slowly}), lasts: slowly},
	{name: "answered", slow: onKind(crmtest.KindFile, crmtest.Rule{Late: slowly}), lasts: 2 * slowly},
	{name: "tried again", slow: onKind(crmtest.KindFile, crmtest.Rule{Status: http.StatusServiceUnavailable}), lasts: 3 * slowly},
	{name: "announced", slow: onKind(crmtest.KindRecording, crmtest.Rule{Late: slowly}), lasts: 2 * slowly, repeats: 1},
}

// crashRounds is how often kontur-ari is killed in each phase.
const crashRounds = 10

// Each recording is announced once, however often and whenever kontur-ari is killed on the
// way.
func TestAKilledDaemonAnnouncesEachRecordingOnce(t *testing.T) {
	random := moments(t)
	for _, phase := range crashPhases {
		seed := random.Uint64()
		t.Run(phase.name, func(t *testing.T) {
			d := newDeploymentOn(t, nil, quickly)
			chosen := rand.New(rand.NewPCG(seed, 0))
			for range crashRounds {
				d.crashWhileRecordingIs(phase, time.Duration(chosen.Int64N(int64(phase.lasts))))
			}
			d.must(d.crm.WaitOver(d.ctx, crashRounds))
			d.calls = crashRounds
			d.expectRecordings(slices.Repeat([]string{"client>101: client 101"}, crashRounds)...)
		})
	}
}

// crashWhileRecordingIs has a call recorded, kills the daemon a moment after the phase has
// begun, and starts it again.
func (d *deployment) crashWhileRecordingIs(phase crashPhase, moment time.Duration) {
	d.Helper()
	begun := make(chan struct{}, 1)
	if phase.slow == nil {
		begun <- struct{}{}
	} else {
		phase.slow(d.crm, begun)
	}
	recordedInbound(d.stage)
	select {
	case <-begun:
	case <-d.ctx.Done():
		d.Fatalf("the recording was never %s", phase.name)
	}
	d.must(d.pause(moment))
	d.must(d.daemon.Kill())
	// The CRM may also have received one other request that was under way.
	d.repeats += phase.repeats + 1
	d.must(d.daemon.Start(d.ctx))
}

// While the CRM is away, uploads and announcements wait.
func TestRecordingsWaitForTheCRM(t *testing.T) {
	for _, kind := range []crmtest.Kind{crmtest.KindFile, crmtest.KindRecording} {
		t.Run(string(kind), func(t *testing.T) {
			d := newDeployment(t, quickly)
			failed := make(chan struct{}, 1)
			back := d.crm.Fail(crmtest.Rule{Kind: kind, Status: http.StatusServiceUnavailable, Match: func(crmtest.Request) bool {
				select {
				case failed <- struct{}{}:
				default:
				}
				return true
			}})
			recordedInbound(d.stage)
			for range 3 {
				select {
				case <-failed:
				case <-d.ctx.Done():
					t.Fatal("nothing was tried")
				}
			}
			if announced := d.recordings(); len(announced) > 0 {
				t.Errorf("announced while the CRM was away: %q", announced)
			}
			back()
			d.expect(answeredLeg("inbound client at 78005557101", "client>101"))
			d.expectRecordings("client>101: client 101")
		})
	}
}

// The CRM deletes a file that is not announced within a day of its upload. So a daemon that
// finds such an old upload uploads the recording again.
func TestARecordingThatCouldNotBeAnnouncedForADayIsUploadedAgain(t *testing.T) {
	d := newDeployment(t, quickly)
	back := d.crm.Fail(crmtest.Rule{Kind: crmtest.KindRecording, Status: http.StatusServiceUnavailable})
	recordedInbound(d.stage)
	d.expect(answeredLeg("inbound client at 78005557101", "client>101"))
	d.must(d.crm.WaitFor(d.ctx, func(crm *crmtest.CRM) bool {
		return slices.ContainsFunc(crm.Requests(), func(r crmtest.Request) bool { return r.Kind == crmtest.KindRecording })
	}))
	_, err := d.daemon.Terminate(d.ctx)
	d.must(err)
	d.ageUploads(25 * time.Hour)
	d.must(d.daemon.Start(d.ctx))
	d.must(d.crm.WaitFor(d.ctx, func(crm *crmtest.CRM) bool { return len(crm.Files()) == 2 }))
	back()
	d.expectRecordings("client>101: client 101")
	if files := d.crm.Files(); len(files) != 2 || files[0].Announced || !files[1].Announced {
		t.Errorf("files: %d, announced %t and %t", len(files), files[0].Announced, files[len(files)-1].Announced)
	}
}

// ageUploads backdates the upload that was not announced. The daemon must be down.
func (d *deployment) ageUploads(by time.Duration) {
	d.Helper()
	db, err := sql.Open("sqlite", filepath.Join(d.daemon.Storage(), "kontur-ari.db")+"?_pragma=busy_timeout(5000)")
	d.must(err)
	result, err := db.Exec("UPDATE outbox SET report = CAST(json_set(CAST(report AS TEXT), '$.uploaded', ?) AS BLOB) WHERE kind = 'call-recording'", time.Now().Add(-by).UTC().Format(time.RFC3339Nano))
	d.must(err)
	if changed, err := result.RowsAffected(); changed != 1 || err != nil {
		d.Errorf("%d uploads were made older, %v", changed, err)
	}
	d.must(db.Close())
}

// The upload is cut at each tenth of the file in turn, and made again each time.
func TestACutUploadIsMadeAgain(t *testing.T) {
	d := newDeployment(t, quickly, func(config *lab.DaemonConfig) {
		config.Delivery = map[string]string{"first_pause": "20ms", "longest_pause": "20ms"}
	})
	// The tone of a call takes some 16 kB a second.
	for tenth := range int64(10) {
		d.crm.Fail(crmtest.Rule{Kind: crmtest.KindFile, CutAfter: 1000 + tenth*1500, Times: 1})
	}
	recordedInbound(d.stage)
	d.expect(answeredLeg("inbound client at 78005557101", "client>101"))
	d.expectRecordings("client>101: client 101")
}

// With keep = delete, a file is removed once the CRM has it.
func TestRecordingsAreRemovedWhereConfigured(t *testing.T) {
	d := newDeployment(t, quickly, func(config *lab.DaemonConfig) { config.Recordings["keep"] = "delete" })
	recordedInbound(d.stage)
	d.expect(answeredLeg("inbound client at 78005557101", "client>101"))
	d.expectRecordings("client>101: client 101")
	d.must(d.awaitLog("removed a recording that the CRM has"))
}

// awaitLog waits until the daemon has logged a text.
func (d *deployment) awaitLog(text string) error {
	for !strings.Contains(d.daemon.Log(), text) {
		if err := d.pause(10 * time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
