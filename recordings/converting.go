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
	"strings"
	"syscall"
	"time"

	"kontur-ari/bridge"
)

// errConversion marks failures of the conversion, as opposed to those of reading the recording.
var errConversion = errors.New("converting it failed")

// converter runs conversions, a few at the same time.
type converter struct {
	Conversion
	// scratch is the directory of results until they are uploaded.
	scratch string
	// slots bounds the conversions at the same time: all cores but one.
	slots chan struct{}
}

func newConverter(conversion Conversion, scratch string) *converter {
	return &converter{conversion, scratch, make(chan struct{}, max(runtime.NumCPU()-1, 1))}
}

// result is the path of a conversion. It names the version of the recording that was read.
func (c *converter) result(job bridge.RecordingJob, rate bitRate) string {
	return filepath.Join(c.scratch, fmt.Sprintf("%d-%d-%d-%d.mp3", job.ID, rate, job.Size, job.Modified.UnixNano()))
}

// discard removes the results of a job. The next start removes what this leaves.
func (c *converter) discard(job bridge.RecordingJob) {
	entries, _ := os.ReadDir(c.scratch)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), fmt.Sprintf("%d-", job.ID)) {
			_ = os.Remove(filepath.Join(c.scratch, entry.Name()))
		}
	}
}

// errUnconvertible means that no conversion is known for a recording's format: it is small
// already, or the program can't read it.
var errUnconvertible = errors.New("its format is not converted")

// convert makes an MP3 of a recording and returns its path. It reuses an earlier result.
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

// mostComplaint bounds how many bytes of a program's error output are kept.
const mostComplaint = 500

// lowestPriority is the niceness of a conversion, so that Asterisk goes first.
const lowestPriority = 19

// run runs the program from content to a file.
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
	// An interrupt from the terminal is meant for the daemon only.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	// The conversion also works where this is not allowed.
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

// lastBytes keeps the last bytes written to it.
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
