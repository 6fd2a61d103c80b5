package crm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/secret"
)

var _ bridge.Uploader = (*Client)(nil)

// UploadFile uploads a file, as bridge.Uploader describes it, to POST /files. It is broken
// off when nothing of it moves for as long as Config.RequestTimeout, and when the answer
// takes that long after its end; a large file may take longer than that in all.
func (c *Client) UploadFile(ctx context.Context, file bridge.Upload) bridge.UploadResult {
	result := c.upload(ctx, file)
	c.log.Debug("uploaded", zap.String("file", file.Name), zap.Int64("bytes", file.Size), zap.Int("status", result.Status),
		zap.String("verdict", string(result.Verdict)), zap.String("reason", result.Reason))
	return result
}

func (c *Client) upload(ctx context.Context, file bridge.Upload) bridge.UploadResult {
	var unreadable error
	a, err := c.withKey(ctx, func(key secret.String) answer {
		a, failed := c.post(ctx, key, file)
		unreadable = failed
		return a
	})
	if err != nil {
		refused := unauthorised(err)
		return bridge.UploadResult{Verdict: refused.Verdict, Reason: refused.Reason, RetryAfter: refused.RetryAfter}
	}
	if unreadable != nil {
		return bridge.UploadResult{Verdict: bridge.Retry, Unreadable: unreadable, Reason: unreadable.Error()}
	}
	return classifyUpload(a, time.Now())
}

// classifyUpload says what an answer means for the upload that it answers. It is pure.
// What is there beside the rules for reports: a 2xx must name the file.
func classifyUpload(a answer, now time.Time) bridge.UploadResult {
	general := classify("", a, now)
	result := bridge.UploadResult{Verdict: general.Verdict, Status: general.Status, Reason: general.Reason, RetryAfter: general.RetryAfter}
	switch result.Verdict {
	case bridge.Delivered:
		var uploaded struct {
			FileID string `json:"fileId"`
		}
		if json.Unmarshal(trimmed(a.body), &uploaded) != nil || uploaded.FileID == "" {
			result.Verdict, result.Reason = bridge.Retry, statusReason(a)+": the answer names no file"
		}
		result.FileID = uploaded.FileID
	case bridge.Refused:
		result.TooLarge = a.status == http.StatusRequestEntityTooLarge || decodeProblem(a.body).name == "fileTooLarge"
	}
	return result
}

// post makes the one request of an upload. The error is one of reading the file.
func (c *Client) post(ctx context.Context, key secret.String, file bridge.Upload) (answer, error) {
	head, tail, contentType := frame(file)
	content, err := file.Open()
	if err != nil {
		err = fmt.Errorf("opening the file to upload it: %w", err)
		return answer{err: err}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(c.config.RequestTimeout, func() { cancel(errStalled) })
	defer stalled.Stop()
	source := &exact{from: content, left: file.Size, moved: func() { stalled.Reset(c.config.RequestTimeout) }}
	// The transport closes it, and may go on reading after an early answer until then.
	body := struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), source, bytes.NewReader(tail)), content}

	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	request, err := http.NewRequestWithContext(traced, http.MethodPost, c.workspaceURL("files"), body)
	if err != nil {
		_ = content.Close() // it was read only
		return answer{err: err}, nil
	}
	request.ContentLength = int64(len(head)) + file.Size + int64(len(tail))
	request.Header = http.Header{
		headerAccessKey: {key.Reveal()}, "Content-Type": {contentType},
		"User-Agent": {c.config.UserAgent}, "Accept": {"application/json"},
	}
	response, err := c.files.Do(request)
	if failed := source.failure(); failed != nil {
		if response != nil {
			_ = response.Body.Close()
		}
		return answer{err: failed}, failed
	}
	a := answer{err: err, sent: sent.Load()}
	if err == nil {
		a = readAnswer(response).without(key.Reveal())
	}
	if a.err != nil && errors.Is(context.Cause(ctx), errStalled) {
		a.err = errStalled
	}
	return a, nil
}

// errStalled is the end of an upload of which nothing moved.
var errStalled = fmt.Errorf("nothing of the file moved for too long: %w", context.DeadlineExceeded)

// frame is what stands before and behind the file in its request, and that request's
// content type.
func frame(file bridge.Upload) (head, tail []byte, contentType string) {
	var text bytes.Buffer
	form := multipart.NewWriter(&text)
	// Writing to memory does not fail.
	_, _ = form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="` + quotable.Replace(file.Name) + `"`},
		"Content-Type":        {file.ContentType},
	})
	length := text.Len()
	_ = form.Close()
	return text.Bytes()[:length:length], text.Bytes()[length:], form.FormDataContentType()
}

// quotable makes a name fit between quotation marks in a header, as browsers do
// (https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data).
var quotable = strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22")

// exact reads a file that must be as long as it was said to be.
type exact struct {
	from  io.Reader
	left  int64
	moved func()
	// failed is why the file can't be uploaded as it is; the transport's goroutine writes it.
	failed atomic.Pointer[error]
}

func (e *exact) Read(into []byte) (int, error) {
	e.moved()
	if e.left == 0 {
		var more [1]byte
		if n, _ := e.from.Read(more[:]); n > 0 {
			return 0, e.fail(bridge.ErrChanged)
		}
		return 0, io.EOF
	}
	n, err := e.from.Read(into[:min(int64(len(into)), e.left)])
	e.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF) && e.left > 0:
		return n, e.fail(bridge.ErrChanged)
	case err != nil && !errors.Is(err, io.EOF):
		return n, e.fail(fmt.Errorf("reading the file to upload it: %w", err))
	}
	return n, nil
}

func (e *exact) fail(err error) error {
	e.failed.Store(&err)
	return err
}

func (e *exact) failure() error {
	if failed := e.failed.Load(); failed != nil {
		return *failed
	}
	return nil
}
