package recordings_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
	"kontur-ari/recordings"
)

// tone is a WAVE file with so many seconds of a tone of 440 Hz.
func tone(seconds int) []byte {
	const hertz, rate = 440, 8000
	file := wave(0, seconds*rate*2)
	for i := range seconds * rate {
		file = binary.LittleEndian.AppendUint16(file, uint16(int16(12000*math.Sin(2*math.Pi*hertz*float64(i)/rate))))
	}
	return file
}

// converting has recordings converted by a program.
func converting(program string) func(*office) {
	return func(o *office) {
		path, err := exec.LookPath(program)
		if err != nil {
			o.Fatalf("%v: install the packages ffmpeg and lame (make tools)", err)
		}
		o.config.Conversion = recordings.Conversion{Program: path, TimeLimit: patience, Always: true}
	}
}

// decoded are the samples of an MP3.
func decoded(t *testing.T, mp3 []byte) []int16 {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-loglevel", "error", "-f", "mp3", "-i", "pipe:0", "-ar", "8000", "-ac", "1", "-f", "s16le", "pipe:1")
	cmd.Stdin = bytes.NewReader(mp3)
	sound, err := cmd.Output()
	if err != nil {
		t.Fatalf("decoding: %v", err)
	}
	samples := make([]int16, len(sound)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(sound[2*i:]))
	}
	return samples
}

// crossings counts how often a sound goes from below zero to above.
func crossings(samples []int16) (count int) {
	for i := 1; i < len(samples); i++ {
		if samples[i-1] < 0 && samples[i] >= 0 {
			count++
		}
	}
	return count
}

func TestRecordingsAreConverted(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"ffmpeg", "lame"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, converting(program))
			o.put(o.monitor, "a.wav", tone(5))
			c := o.newCall()
			o.over(c, c.recorded("/spool/monitor/a.wav"))
			file := o.awaitAnnounced(1)[0]
			if file.Name != "a.mp3" || file.ContentType != "audio/mpeg" || file.Size > 25_000 || file.Size < 15_000 {
				t.Errorf("the CRM has %s, %s, %d bytes, want about 20,000", file.Name, file.ContentType, file.Size)
			}
			samples := decoded(t, file.Content)
			if len(samples) < 4.9*8000 || len(samples) > 5.3*8000 {
				t.Fatalf("%d samples, want 40,000 and a little silence", len(samples))
			}
			if n := crossings(samples[2*8000 : 3*8000]); n < 435 || n > 445 {
				t.Errorf("%d waves in a second, want 440", n)
			}
			o.awaitStates(done)
			o.await("nothing is left behind", func() bool { return len(o.left("conversions")) == 0 })
		})
	}
}

// left are the names of the files in a directory of the storage. A directory that the
// courier has not created yet holds none.
func (o *office) left(directory string) (names []string) {
	entries, err := os.ReadDir(filepath.Join(o.storage, directory))
	if !errors.Is(err, fs.ErrNotExist) {
		o.must(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestWhatCantBeConvertedIsUploadedAsItIs(t *testing.T) {
	t.Parallel()
	script := func(text string, limit time.Duration) func(*office) {
		return func(o *office) {
			program := o.put(t.TempDir(), "ffmpeg", []byte("#!/bin/sh\n"+text+"\n"))
			o.must(os.Chmod(program, 0o700))
			o.config.Conversion = recordings.Conversion{Program: program, TimeLimit: limit, Always: true}
		}
	}
	sound := tone(1)
	for name, test := range map[string]struct {
		change  func(*office)
		file    string
		content []byte
		// warned is in the one warning; "" for none.
		warned string
	}{
		"compressed already":          {converting("ffmpeg"), "a.mp3", bytes.Repeat([]byte{1}, 100), ""},
		"an ending that lame has not": {converting("lame"), "a.gsm", bytes.Repeat([]byte{1}, 330), ""},
		"no sound inside":             {converting("ffmpeg"), "a.flac", bytes.Repeat([]byte("x"), 1000), "ffmpeg"},
		"another format inside":       {converting("ffmpeg"), "a.flac", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"), "ffmpeg"},
		"the program fails":           {script("echo out of cheese >&2; exit 3", patience), "a.wav", sound, "out of cheese"},
		"the program hangs":           {script("exec sleep 100", 300*time.Millisecond), "a.wav", sound, "did not end within 300ms"},
		"the program makes nothing":   {script("cat >/dev/null", patience), "a.wav", sound, "made nothing"},
		"the program is not there": {func(o *office) {
			o.config.Conversion = recordings.Conversion{Program: "/nowhere/ffmpeg", TimeLimit: time.Second, Always: true}
		}, "a.wav", sound, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, test.change)
			o.put(o.monitor, test.file, test.content)
			c := o.newCall()
			o.over(c, c.recorded("/spool/monitor/"+test.file))
			if file := o.awaitAnnounced(1)[0]; file.Name != test.file || file.Sum != sha256.Sum256(test.content) {
				t.Errorf("the CRM has %s, %d bytes", file.Name, file.Size)
			}
			o.awaitStates(done)
			var reasons []string
			for _, entry := range o.log.FilterMessageSnippet("can't be converted").All() {
				reasons = append(reasons, entry.ContextMap()["reason"].(string))
			}
			if test.warned == "" && len(reasons) > 0 || test.warned != "" && (len(reasons) != 1 || !strings.Contains(reasons[0], test.warned)) {
				t.Errorf("warned %q, want one that says %q", reasons, test.warned)
			}
			o.await("nothing is left behind", func() bool { return len(o.left("conversions")) == 0 })
		})
	}
}

// tooLarge has the CRM refuse files above a size.
func (o *office) tooLarge(size int) {
	o.crm.Fail(crmtest.Rule{
		Kind: crmtest.KindFile, Status: http.StatusConflict, Body: `{"status":"fileTooLarge","message":"The file is too large."}`,
		Match: func(r crmtest.Request) bool { return r.Length > int64(size) },
	})
}

func TestWhatTheCRMFindsTooLargeIsMadeSmaller(t *testing.T) {
	t.Parallel()
	sound := tone(5)
	for name, test := range map[string]struct {
		most  int
		sizes []int64 // of the file that the CRM has, from and to
		state bridge.RecordingState
		tries int64
	}{
		"once":    {50_000, []int64{15_000, 25_000}, bridge.RecordingAnnounced, 1},
		"twice":   {15_000, []int64{7_000, 13_000}, bridge.RecordingAnnounced, 2},
		"in vain": {1_000, nil, bridge.RecordingRefused, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, converting("ffmpeg"), func(o *office) { o.config.Conversion.Always = false })
			o.tooLarge(test.most)
			path := o.put(o.monitor, "a.wav", sound)
			c := o.newCall()
			o.over(c, c.recorded("/spool/monitor/a.wav"))
			o.awaitStates(map[bridge.RecordingState]int{test.state: 1})
			files := announced(o.crm.CRM)
			if len(test.sizes) > 0 && (len(files) != 1 || files[0].Size < test.sizes[0] || files[0].Size > test.sizes[1]) {
				t.Errorf("the CRM has %+v", files)
			}
			if stats := o.courier.Stats(); stats.Failed != test.tries {
				t.Errorf("%d uploads failed, want %d", stats.Failed, test.tries)
			}
			o.await("nothing is left behind", func() bool { return len(o.left("conversions")) == 0 })
			if content, err := os.ReadFile(path); err != nil || !slices.Equal(content, sound) {
				t.Errorf("the recording is another: %v", err)
			}
		})
	}
}

// The scratch directory may have a name that looks like a pattern.
func TestAConversionIsRemovedWhateverItsDirectoryIsCalled(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) {
		program := o.put(t.TempDir(), "ffmpeg", []byte("#!/bin/sh\nexec /bin/cat\n"))
		o.must(os.Chmod(program, 0o700))
		o.config.Conversion = recordings.Conversion{Program: program, TimeLimit: patience, Always: true}
		o.config.Scratch = filepath.Join(o.storage, "scratch[1]*")
	})
	o.put(o.monitor, "a.wav", wave(100, 100))
	c := o.newCall()
	o.over(c, c.recorded("/spool/monitor/a.wav"))
	if file := o.awaitAnnounced(1)[0]; file.Name != "a.mp3" {
		t.Errorf("the CRM has %s", file.Name)
	}
	o.awaitStates(done)
	o.await("nothing is left behind", func() bool { return len(o.left("scratch[1]*")) == 0 })
}
