package recordings

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/time/rate"

	"kontur-ari/bridge"
)

// readAtOnce bounds one read of a file where the rate is limited: the uploader breaks off
// an upload of which nothing moves for long.
const readAtOnce = 16 << 10

// send makes one upload: of an MP3 where the recording is to be converted, else of the file.
func (c *Courier) send(ctx context.Context, job bridge.RecordingJob) bridge.UploadResult {
	roots := c.open()
	defer roots.close()
	if rate := c.sizes.rateOf(job, c.config.Conversion.Always); rate != 0 {
		upload, err := c.converted(ctx, roots, job, rate)
		switch {
		case err == nil:
			c.troubles.convert.Over("")
			return c.uploader.UploadFile(ctx, upload)
		case ctx.Err() != nil:
			return bridge.UploadResult{Verdict: bridge.Retry, Reason: ctx.Err().Error()}
		case errors.Is(err, bridge.ErrChanged), errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errConversion), errors.Is(err, bridge.ErrNoStoredRecording):
			return bridge.UploadResult{Verdict: bridge.Retry, Unreadable: err, Reason: err.Error()}
		case errors.Is(err, errConversion):
			c.troubles.convert.Failed("", err.Error(), fileFields(job)...)
			c.sizes.giveUp(job.ID)
		}
	}
	return c.uploader.UploadFile(ctx, bridge.Upload{
		Name: path.Base(job.File.Name), ContentType: contentType(job.File.Name), Size: job.Size,
		Open: func() (io.ReadCloser, error) {
			content, err := c.openUnchanged(ctx, roots, job)
			if err != nil {
				return nil, err
			}
			return c.limited(ctx, content), nil
		},
	})
}

// converted returns the upload of an MP3 of a recording.
func (c *Courier) converted(ctx context.Context, roots fileRoots, job bridge.RecordingJob, rate bitRate) (bridge.Upload, error) {
	content, err := c.openUnchanged(ctx, roots, job)
	if err != nil {
		return bridge.Upload{}, err
	}
	defer content.Close()
	result, err := c.convert.convert(ctx, job, content, rate)
	if err == nil {
		// The recording may have changed during the conversion.
		err = c.unchanged(ctx, roots, job)
	}
	if err != nil {
		return bridge.Upload{}, err
	}
	info, err := os.Stat(result)
	if err != nil {
		return bridge.Upload{}, err
	}
	name := path.Base(job.File.Name)
	return bridge.Upload{
		Name: strings.TrimSuffix(name, path.Ext(name)) + ".mp3", ContentType: contentTypes[".mp3"], Size: info.Size(),
		Open: func() (io.ReadCloser, error) {
			if err := c.unchanged(ctx, roots, job); err != nil {
				return nil, err
			}
			file, err := os.Open(result)
			if err != nil {
				return nil, err
			}
			return c.limited(ctx, file), nil
		},
	}, nil
}

// unchanged returns an error where a recording has changed since it was found complete.
func (c *Courier) unchanged(ctx context.Context, roots fileRoots, job bridge.RecordingJob) error {
	content, err := c.openUnchanged(ctx, roots, job)
	if err != nil {
		return err
	}
	return content.Close()
}

// openUnchanged opens a recording that has not changed since it was found complete.
func (c *Courier) openUnchanged(ctx context.Context, roots fileRoots, job bridge.RecordingJob) (*os.File, error) {
	if inSwitch(job.File.Place) {
		return c.openFetched(ctx, job)
	}
	content, info, err := openFile(roots, job.File)
	if err != nil {
		return nil, err
	}
	if info.Size() != job.Size || !info.ModTime().Equal(job.Modified) {
		return nil, errors.Join(bridge.ErrChanged, content.Close())
	}
	return content, nil
}

// limited returns a file whose reads keep to the rate limit of all uploads together.
func (c *Courier) limited(ctx context.Context, file *os.File) io.ReadCloser {
	if c.limit == nil {
		return file
	}
	return &slowReader{file, ctx, c.limit}
}

type slowReader struct {
	*os.File
	ctx   context.Context
	limit *rate.Limiter
}

func (s *slowReader) Read(into []byte) (int, error) {
	into = into[:min(len(into), readAtOnce)]
	if err := s.limit.WaitN(s.ctx, len(into)); err != nil {
		return 0, err
	}
	return s.File.Read(into)
}

// contentTypes are the media types by file ending: those of IANA, and the usual ones for
// formats that have none there.
var contentTypes = map[string]string{
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".m4a": "audio/mp4", ".flac": "audio/flac",
	".wav": "audio/wav", ".WAV": "audio/wav", ".wav49": "audio/wav", ".wav16": "audio/wav", ".gsm": "audio/x-gsm",
}

func contentType(name string) string {
	if known, ok := contentTypes[path.Ext(name)]; ok {
		return known
	}
	return "application/octet-stream"
}
