package crmtest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"time"
)

const (
	// largestFile is what the CRM takes at most.
	largestFile = 100 << 20
	// keptOfFile is how much of each file's content is kept for the test.
	keptOfFile = 16 << 20
	// fileLifetime is how long a file lives that nothing was attached to.
	fileLifetime = 24 * time.Hour
)

// File is a file that was uploaded.
type File struct {
	ID, Name, ContentType string
	Size                  int64
	// Sum is the SHA-256 of its content, Content the beginning of that: all of it up to
	// 16 MiB.
	Sum     [sha256.Size]byte
	Content []byte
	// Uploaded is when it was whole. Unless it is announced within a day, it is gone.
	Uploaded time.Time
	// Announced: a call-recording or register-call has named it.
	Announced bool
}

// Files are the files that were uploaded, in order, those that are gone included.
func (c *CRM) Files() []File {
	c.mu.Lock()
	defer c.mu.Unlock()
	files := make([]File, len(c.uploads))
	for i, file := range c.uploads {
		files[i] = *file
	}
	return files
}

// errTooLarge says that a file is larger than the CRM takes.
var errTooLarge = errors.New("the file is too large")

// receiveFile reads an upload without judging it, and no more of it than a rule allows.
func (x *incoming) receiveFile(r *http.Request, rule *Rule) {
	body := r.Body
	if rule != nil && rule.CutAfter > 0 {
		// What is left is not even looked at.
		_, x.broken = io.CopyN(io.Discard, body, rule.CutAfter)
		return
	}
	x.file, x.broken = readFile(r.Header.Get("Content-Type"), body)
	if x.broken != nil {
		// The client is heard to the end, so that it reads the answer.
		_, _ = io.Copy(io.Discard, body)
	}
}

// readFile reads the one part that an upload has.
func readFile(contentType string, body io.Reader) (*File, error) {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/form-data" || parameters["boundary"] == "" {
		return nil, fmt.Errorf("the content type is not multipart/form-data with a boundary: %s", contentType)
	}
	form := multipart.NewReader(body, parameters["boundary"])
	part, err := form.NextRawPart()
	if err != nil {
		return nil, fmt.Errorf("the form has no part: %w", err)
	}
	if part.FormName() != "file" || part.FileName() == "" || part.Header.Get("Content-Type") == "" {
		return nil, fmt.Errorf("the part is not a file named %q with a file name and a content type: %v", "file", part.Header)
	}
	kept := &keeper{sum: sha256.New()}
	size, err := io.Copy(kept, io.LimitReader(part, largestFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the file broke off after %d bytes: %w", size, err)
	case size > largestFile:
		return nil, errTooLarge
	}
	if _, err := form.NextRawPart(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the form does not end after the file: %w", err)
	}
	return &File{
		Name: part.FileName(), ContentType: part.Header.Get("Content-Type"), Size: size,
		Sum: [sha256.Size]byte(kept.sum.Sum(nil)), Content: kept.content.Bytes(),
	}, nil
}

// keeper takes a file's content and keeps what is kept of it.
type keeper struct {
	sum     hash.Hash
	content bytes.Buffer
}

func (k *keeper) Write(data []byte) (int, error) {
	k.content.Write(data[:min(len(data), keptOfFile-k.content.Len())])
	return k.sum.Write(data)
}

// serveFile takes an upload. The caller holds the lock.
func (c *CRM) serveFile(x *incoming) answer {
	switch {
	case x.request.Method != http.MethodPost:
		x.fault(BreachRequest, "files by %s", x.request.Method)
		return answer{status: http.StatusMethodNotAllowed}
	case errors.Is(x.broken, errTooLarge):
		return conflict("fileTooLarge", "The file is larger than 100 MB.")
	case errors.Is(x.broken, io.ErrUnexpectedEOF):
		// The client went away: no fault of anybody.
		return answer{abort: true}
	case x.broken != nil:
		x.fault(BreachBody, "%v", x.broken)
		return problemAnswer([]problem{{"$", x.broken.Error()}})
	}
	file := x.file
	file.ID, file.Uploaded = guid(500000+len(c.uploads)), time.Now()
	c.uploads = append(c.uploads, file)
	return jsonAnswer(http.StatusOK, map[string]any{
		"fileId": file.ID, "fileName": file.Name, "contentType": file.ContentType, "contentLength": file.Size,
	})
}

// announced notes that a file is attached to a call: it is moved out of the temporary
// storage with that, so it can be only once, and only while it is there.
func (c *CRM) announced(id string) []fault {
	i := slices.IndexFunc(c.uploads, func(file *File) bool { return file.ID == id })
	switch {
	case i < 0:
		return []fault{faultf(BreachFile, "file %s was never uploaded", id)}
	case c.uploads[i].Announced:
		return []fault{faultf(BreachRepeat, "file %s was announced before", id)}
	case time.Since(c.uploads[i].Uploaded) > fileLifetime:
		return []fault{faultf(BreachFile, "file %s is gone: it was uploaded at %s, and nothing was attached to it for a day", id, c.uploads[i].Uploaded)}
	}
	c.uploads[i].Announced = true
	return nil
}

// filesAnnounced notes the recordings that a report names.
func (c *CRM) filesAnnounced(body Body) []fault {
	var faults []fault
	if body.RecordingFileID != "" {
		faults = c.announced(body.RecordingFileID)
	}
	for _, item := range body.Items {
		for _, recording := range item.Recordings {
			faults = append(faults, c.announced(recording.FileID)...)
		}
	}
	return faults
}
