package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

func TestAFileOfTwoChannelsIsOfTheLegThatAnsweredFirst(t *testing.T) {
	early, late, unheard := recorded("1.1", "early", 1, 3, 9), recorded("1.1", "late", 2, 5, 8), recorded("1.1", "unheard", 1, 0, 9)
	atOnce := recorded("1.1", "at once", 2, 3, 8)
	for _, test := range []struct {
		name          string
		first, second bridge.Recorded
		state         bridge.RecordingState
		want          bridge.LegID
	}{
		{"the earlier leg comes first", early, late, bridge.RecordingSettling, "early"},
		{"the later leg comes first", late, early, bridge.RecordingSettling, "early"},
		{"the earlier leg finds it whole", late, early, bridge.RecordingReady, "early"},
		{"the later leg finds it whole", early, late, bridge.RecordingReady, "early"},
		{"nothing was heard on the first channel", unheard, late, bridge.RecordingSettling, "late"},
		{"nothing was heard on the first channel, and it is whole", unheard, late, bridge.RecordingReady, "late"},
		{"nothing was heard on the second channel", late, unheard, bridge.RecordingSettling, "late"},
		{"both were connected at once", early, atOnce, bridge.RecordingReady, "early"},
		{"the earlier leg finds it uploaded", late, early, bridge.RecordingUploaded, "late"},
		{"the earlier leg finds it announced", late, early, bridge.RecordingAnnounced, "late"},
		{"the earlier leg finds it refused", late, early, bridge.RecordingRefused, "late"},
		{"the earlier leg finds it empty", late, early, bridge.RecordingEmpty, "late"},
	} {
		t.Run(test.name, func(t *testing.T) {
			directory := t.TempDir()
			s := open(t, directory)
			job := found(t, s, test.first, bridge.RecordingSettling, "a.wav")
			job.State, job.Size, job.Reason = test.state, 44, "kept"
			keep(t, s, job)
			find(t, s, sought(t, s, test.second), []bridge.RecordingFile{monitored("a.wav")}, nil)
			want := []recording{{State: test.state, Call: "1.1", Leg: test.want, Name: "a.wav", Reason: "kept"}}
			if diff := cmp.Diff(want, recordings(t, directory)); diff != "" {
				t.Errorf("recordings (-want +got):\n%s", diff)
			}
		})
	}
}

// After a transfer between calls, channels of both may lead to one file.
func TestARecordingGoesToTheCallOfTheLegThatAnsweredFirst(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, bridge.Batch{Changed: []bridge.CallState{{Call: "1.1", State: []byte("{}")}}})
	found(t, s, recorded("2.1", "2.2", 2, 5, 8), bridge.RecordingReady, "a.wav")
	find(t, s, sought(t, s, recorded("1.1", "1.2", 1, 3, 9)), []bridge.RecordingFile{monitored("a.wav")}, nil)
	if due, _, err := s.DueUploads(t.Context(), second(9), 10); len(due) != 0 || err != nil {
		t.Errorf("%+v is due although its call goes on, error %v", due, err)
	}
	commit(t, s, bridge.Batch{Gone: []bridge.CallID{"1.1"}})
	due, _, err := s.DueUploads(t.Context(), second(9), 10)
	if err != nil || len(due) != 1 {
		t.Fatalf("%d jobs are due, error %v", len(due), err)
	}
	if of := due[0].Recorded; of.Call != "1.1" || of.Leg != "1.2" || !of.Since.Equal(second(3)) {
		t.Errorf("it is of call %s, leg %s, connected at %v", of.Call, of.Leg, of.Since)
	}
}

// A transferred channel takes the file along. The third channel never met the first.
func TestAFileThatIsHandedFromChannelToChannelIsOneJob(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	found(t, s, recorded("1.1", "first", 1, 3, 10), bridge.RecordingSettling, "a.wav")
	found(t, s, recorded("1.1", "second", 2, 4, 30), bridge.RecordingSettling, "a.wav")
	found(t, s, recorded("1.1", "third", 11, 12, 31), bridge.RecordingSettling, "a.wav")
	checkRecordings(t, directory, recording{State: bridge.RecordingSettling, Call: "1.1", Leg: "first", Name: "a.wav"})
}

func TestAFileOfAChannelThatCameOnceAnotherWasGoneIsAnother(t *testing.T) {
	for _, state := range []bridge.RecordingState{
		bridge.RecordingSettling, bridge.RecordingReady, bridge.RecordingUploaded, bridge.RecordingAnnounced, bridge.RecordingRefused, bridge.RecordingEmpty,
	} {
		t.Run(string(state), func(t *testing.T) {
			directory := t.TempDir()
			s := open(t, directory)
			found(t, s, recorded("1.1", "1.2", 1, 3, 9), state, "a.wav")
			find(t, s, sought(t, s, recorded("2.1", "2.2", 10, 12, 19)), []bridge.RecordingFile{monitored("a.wav")}, nil)
			checkRecordings(t, directory,
				recording{State: state, Call: "1.1", Leg: "1.2", Name: "a.wav"},
				recording{State: bridge.RecordingSettling, Call: "2.1", Leg: "2.2", Name: "a.wav"})
		})
	}
}

func TestAFileOfTheSameNameInAnotherPlaceIsAnother(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	job := sought(t, s, recorded("1.1", "1.2", 1, 3, 9))
	find(t, s, job, []bridge.RecordingFile{monitored("a"), {Place: bridge.PlaceVoicemail, Name: "a"}, {Place: bridge.PlaceSwitch, Name: "a"}, monitored("a")}, nil)
	one := recording{State: bridge.RecordingSettling, Call: "1.1", Leg: "1.2", Name: "a"}
	checkRecordings(t, directory, one, one, one)
}

func TestAFileIsMissingOnlyIfNoSearchFoundIt(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	found(t, s, recorded("1.1", "1.2", 1, 3, 9), bridge.RecordingSettling, "there.wav")
	find(t, s, sought(t, s, recorded("1.1", "1.3", 1, 2, 9)), nil, []bridge.RecordingFile{monitored("there.wav"), monitored("late.wav")})
	find(t, s, sought(t, s, recorded("1.1", "1.4", 1, 5, 9)), []bridge.RecordingFile{monitored("late.wav")}, nil)
	checkRecordings(t, directory,
		recording{State: bridge.RecordingSettling, Call: "1.1", Leg: "1.2", Name: "there.wav"},
		recording{State: bridge.RecordingSettling, Call: "1.1", Leg: "1.4", Name: "late.wav"})
}

// The name of a file need not be UTF-8.
func TestNamesComeBackByteForByte(t *testing.T) {
	s := open(t, t.TempDir())
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	name := rapid.OneOf(
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 40), func(name []byte) string { return string(name) }),
		rapid.SampledFrom([]string{string(every), "\xff", "\xfe", "\ufffd", "a\x00b", "a", "А.wav", "\xc0.wav", "'", "NULL", "{}"}),
	)
	last := 0
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(name, 1, 5, rapid.ID[string]).Draw(t, "names")
		// The channel of each round begins after the earlier ones have ended.
		last += 2
		ctx := context.Background()
		if _, err := s.Commit(ctx, bridge.Batch{Recorded: []bridge.Recorded{recorded("1.1", "1.2", last, last, last+1)}}); err != nil {
			t.Fatal(err)
		}
		jobs, err := s.SoughtOrSettling(ctx, 0, 10)
		if err != nil || len(jobs) != 1 {
			t.Fatalf("%d channels are sought, error %v", len(jobs), err)
		}
		var files []bridge.RecordingFile
		for _, name := range names {
			files = append(files, monitored(name))
		}
		if err := s.Found(ctx, jobs[0], files, nil); err != nil {
			t.Fatal(err)
		}
		if jobs, err = s.SoughtOrSettling(ctx, 0, 10); err != nil {
			t.Fatal(err)
		}
		var settling, ready []string
		for _, job := range jobs {
			settling = append(settling, job.File.Name)
			job.State = bridge.RecordingReady
			if err := s.Keep(ctx, job); err != nil {
				t.Fatal(err)
			}
		}
		if jobs, _, err = s.DueUploads(ctx, moment, 10); err != nil {
			t.Fatal(err)
		}
		for _, job := range jobs {
			ready = append(ready, job.File.Name)
			if _, err := s.Uploaded(ctx, job, "f", moment); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(settling, names) || !slices.Equal(ready, names) {
			t.Fatalf("%q became %q, and %q once they were kept", names, settling, ready)
		}
	})
}

// Processing a recording afterwards changes the ending of its name.
func TestFilesThatDifferInTheirEndingsAreOneRecording(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	find(t, s, sought(t, s, recorded("1.1", "1.3", 1, 5, 9)), []bridge.RecordingFile{monitored("a.wav")}, nil)
	find(t, s, sought(t, s, recorded("1.1", "1.2", 1, 3, 9)), []bridge.RecordingFile{monitored("a.mp3"), monitored("a.1.wav")}, nil)
	checkRecordings(t, directory,
		recording{State: bridge.RecordingSettling, Call: "1.1", Leg: "1.2", Name: "a.wav"},
		recording{State: bridge.RecordingSettling, Call: "1.1", Leg: "1.2", Name: "a.1.wav"})
}
