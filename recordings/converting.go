package recordings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"kontur-ari/bridge"
)

// Conversion is how recordings are made smaller. The zero Conversion can't.
type Conversion struct {
	// Program is the path of ffmpeg or lame ([FindConverter]); "" for none.
	Program string
	// TimeLimit bounds one conversion.
	TimeLimit time.Duration
	// Always: everything is converted, not only what the CRM finds too large.
	Always bool
}

// converters are the programs that can convert, the better first: lame reads WAVE only.
var converters = []string{"ffmpeg", "lame"}

// FindConverter is the path of a program that can convert; an error where there is none.
func FindConverter() (string, error) {
	for _, name := range converters {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("neither ffmpeg nor lame is installed")
}

// bitRate is how many thousand bits a second of a recording takes. Speech of 8,000
// samples a second is as clear at the usual one as it was; at the low one it can be
// understood.
type bitRate int

const (
	usualRate bitRate = 32
	lowRate   bitRate = 16
	// asItIs is none: the recording is not converted any more.
	asItIs bitRate = -1
)

// errConversion says that it was the conversion that failed, and not the recording.
var errConversion = errors.New("converting it failed")

// largestFile is what the CRM takes at most (platform: API Files): whatever is larger is
// converted without asking it first.
const largestFile = 100 << 20

// demuxers are the formats that ffmpeg is told to read files of each ending as. It must not
// find out by itself: some formats name other files and addresses to be read.
var demuxers = map[string][]string{
	".wav": {"wav"}, ".WAV": {"wav"}, ".wav49": {"wav"}, ".wav16": {"wav"}, ".flac": {"flac"}, ".gsm": {"gsm"}, ".g722": {"g722"},
	".sln": {"s16le", "-ar", "8000"}, ".sln16": {"s16le", "-ar", "16000"}, ".alaw": {"alaw", "-ar", "8000"}, ".ulaw": {"mulaw", "-ar", "8000"},
}

// command is how a program is called that reads a recording of some ending from its
// standard input and writes MP3 to its standard output; false where it can't.
func (c Conversion) command(ending string, rate bitRate) ([]string, bool) {
	kilobits := strconv.Itoa(int(rate))
	demuxer, known := demuxers[ending]
	switch {
	case c.Program == "" || !known:
		return nil, false
	case filepath.Base(c.Program) == "lame":
		return []string{"--quiet", "-b", kilobits, "-", "-"}, demuxer[0] == "wav"
	}
	arguments := append([]string{"-nostdin", "-hide_banner", "-loglevel", "error", "-f"}, demuxer...)
	return append(arguments, "-protocol_whitelist", "pipe", "-i", "pipe:0",
		"-vn", "-map_metadata", "-1", "-codec:a", "libmp3lame", "-b:a", kilobits+"k", "-write_xing", "0", "-f", "mp3", "pipe:1"), true
}

// converter converts, a few recordings at a time.
type converter struct {
	Conversion
	// scratch is where what is made is kept until it is uploaded.
	scratch string
	// slots are as many as may be converted at a time: all cores but one.
	slots chan struct{}
}

func newConverter(conversion Conversion, scratch string) *converter {
	return &converter{conversion, scratch, make(chan struct{}, max(runtime.NumCPU()-1, 1))}
}

// result is the file that a conversion of a job makes, of the recording as it is.
func (c *converter) result(job bridge.RecordingJob, rate bitRate) string {
	return filepath.Join(c.scratch, fmt.Sprintf("%d-%d-%d-%d.mp3", job.ID, rate, job.Size, job.Modified.UnixNano()))
}

// forget removes what was made for a job.
func (c *converter) forget(job bridge.RecordingJob) {
	// What stays is removed at the next start.
	results, _ := filepath.Glob(filepath.Join(c.scratch, fmt.Sprintf("%d-*", job.ID)))
	for _, result := range results {
		_ = os.Remove(result)
	}
}

// errUnconvertible says that a recording is in a format that is not converted: it is small
// already, or the program at hand can't read it.
var errUnconvertible = errors.New("its format is not converted")

// convert makes an MP3 of a recording, unless that was done before, and returns its path.
func (c *converter) convert(ctx context.Context, job bridge.RecordingJob, content *os.File, rate bitRate) (string, error) {
	arguments, ok := c.command(filepath.Ext(job.File.Name), rate)
	if !ok {
		return "", errUnconvertible
	}
	result := c.result(job, rate)
	if _, err := os.Stat(result); err == nil {
		return result, nil
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	unfinished := result + ".unfinished"
	err := c.run(ctx, arguments, content, unfinished)
	if err == nil {
		err = os.Rename(unfinished, result)
	}
	if err != nil {
		_ = os.Remove(unfinished)
		return "", fmt.Errorf("%w: %w", errConversion, err)
	}
	return result, nil
}

// mostComplaint bounds what is kept of what a program complains of.
const mostComplaint = 500

// lowestPriority is the niceness of a conversion: the telephone exchange goes first.
const lowestPriority = 19

// run runs the program.
func (c *converter) run(ctx context.Context, arguments []string, content *os.File, into string) (err error) {
	out, err := os.OpenFile(into, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	limited, cancel := context.WithTimeout(ctx, c.TimeLimit)
	defer cancel()
	complaint := &lastBytes{most: mostComplaint}
	cmd := exec.CommandContext(limited, c.Program, arguments...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = content, out, complaint
	cmd.Env = []string{"LC_ALL=C"}
	cmd.WaitDelay = time.Second
	// A key pressed at a terminal is not meant for it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	// Where that is not allowed it works all the same.
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, cmd.Process.Pid, lowestPriority)
	if err := cmd.Wait(); err != nil {
		if limited.Err() != nil && ctx.Err() == nil {
			return fmt.Errorf("%s did not end within %s", filepath.Base(c.Program), c.TimeLimit)
		}
		return fmt.Errorf("%s: %w: %s", filepath.Base(c.Program), err, bytes.TrimSpace(complaint.bytes))
	}
	if info, err := out.Stat(); err != nil || info.Size() == 0 {
		return errors.Join(err, fmt.Errorf("%s made nothing of it: %s", filepath.Base(c.Program), bytes.TrimSpace(complaint.bytes)))
	}
	return nil
}

// lastBytes keeps the end of what is written to it.
type lastBytes struct {
	most  int
	bytes []byte
}

func (l *lastBytes) Write(text []byte) (int, error) {
	l.bytes = append(l.bytes, text...)
	l.bytes = l.bytes[max(len(l.bytes)-l.most, 0):]
	return len(text), nil
}

var _ io.Writer = (*lastBytes)(nil)
