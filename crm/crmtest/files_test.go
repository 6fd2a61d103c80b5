package crmtest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// form is the body of an upload with one part, and its content type.
func form(t *testing.T, disposition, contentType, content string) (body, formType string) {
	t.Helper()
	var text strings.Builder
	w := multipart.NewWriter(&text)
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {contentType}})
	if err == nil {
		_, err = part.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return text.String(), w.FormDataContentType()
}

const disposition = `form-data; name="file"; filename="a.wav"`

// upload uploads a file and returns what the CRM calls it.
func (s *sender) upload(content string) string {
	s.t.Helper()
	body, formType := form(s.t, disposition, "audio/wav", content)
	status, answer := s.ask(http.MethodPost, "files", formType, body)
	var file struct {
		FileID, FileName, ContentType string
		ContentLength                 int
	}
	if err := json.Unmarshal(answer, &file); err != nil || status != http.StatusOK {
		s.t.Fatalf("%d %s: %v", status, answer, err)
	}
	if file.FileID == "" || file.FileName != "a.wav" || file.ContentType != "audio/wav" || file.ContentLength != len(content) {
		s.t.Errorf("answered: %s", answer)
	}
	return file.FileID
}

func recorded(leg, file string) step {
	return step{KindRecording, map[string]any{
		"communicationId": "$communication", "externalId": "$external", "externalCallItemId": leg, "recordingFileId": file,
	}}
}

func TestFilesAreKeptAndAnnounced(t *testing.T) {
	crm := New(Options{})
	s := newSender(t, crm)
	s.play(answered("1.1"))
	file := s.upload("what was said")
	// The register-call has arrived: the recording comes when it is whole.
	if status, answer := s.send(recorded("1.11", file)); status != http.StatusOK {
		t.Errorf("%d %s", status, answer)
	}
	wantBreaches(t, crm)
	files := crm.Files()
	if len(files) != 1 || files[0].ID != file || !files[0].Announced || string(files[0].Content) != "what was said" || files[0].Sum != sha256.Sum256([]byte("what was said")) {
		t.Errorf("files: %+v", files)
	}
	calls := crm.Calls()
	if got := calls[0].Sequence(); got[len(got)-1] != "L1 RECORDING" {
		t.Errorf("sequence: %v", got)
	}
	// The same again, byte for byte, is what a lost answer causes.
	s.send(recorded("1.11", file))
	wantBreaches(t, crm)
}

func TestAFileIsAnnouncedOnceWithinADay(t *testing.T) {
	listed := func(id, file string) []step {
		return onItem(answered(id), func(item map[string]any) {
			item["recordings"] = []any{map[string]any{"fileId": file, "fileName": "a.wav", "contentType": "audio/wav", "contentLength": "1"}}
		})
	}
	for _, test := range []struct {
		name  string
		apply func(s *sender, file string)
		want  []Breach
	}{
		{"in register-call", func(s *sender, file string) { s.play(listed("1.1", file)) }, nil},
		{"in two", func(s *sender, file string) { s.play(listed("1.1", file)); s.play(listed("2.1", file)) }, []Breach{BreachRepeat}},
		{"in both requests", func(s *sender, file string) { s.play(listed("1.1", file)); s.send(recorded("1.11", file)) }, []Breach{BreachRepeat}},
		{"for two legs", func(s *sender, file string) {
			s.play(listed("1.1", file))
			s.play(answered("2.1"))
			s.send(recorded("2.11", file))
		}, []Breach{BreachRepeat}},
		{"never uploaded", func(s *sender, _ string) { s.play(listed("1.1", "another")) }, []Breach{BreachFile}},
		{"a day later", func(s *sender, file string) {
			time.Sleep(fileLifetime + time.Second)
			s.authorize()
			s.play(listed("1.1", file))
		}, []Breach{BreachFile}},
		{"of no leg", func(s *sender, file string) { s.play(answered("1.1")); s.send(recorded("9.9", file)) }, []Breach{BreachLeg}},
		{"before its leg", func(s *sender, file string) { s.play(answered("1.1")[:1]); s.send(recorded("1.11", file)) }, []Breach{BreachLeg}},
		{"of an unknown call", func(s *sender, file string) {
			s.learnt = map[string]string{"$external": "Asterisk/7.7", "$communication": "411"}
			s.send(recorded("7.8", file))
		}, []Breach{BreachUnknownCall}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				crm := New(Options{})
				s := newSender(t, crm)
				test.apply(s, s.upload("x"))
				wantBreaches(t, crm, test.want...)
			})
		})
	}
}

func TestWhatIsNoUploadIsRefused(t *testing.T) {
	good, goodType := form(t, disposition, "audio/wav", "x")
	noName, noNameType := form(t, `form-data; name="file"`, "audio/wav", "x")
	otherField, otherType := form(t, `form-data; name="data"; filename="a.wav"`, "audio/wav", "x")
	noKind, noKindType := form(t, disposition, "", "x")
	for _, test := range []struct {
		name, method, contentType, body string
		want                            int
	}{
		{"no form", http.MethodPost, "audio/wav", "x", http.StatusConflict},
		{"no boundary", http.MethodPost, "multipart/form-data", good, http.StatusConflict},
		{"no file name", http.MethodPost, noNameType, noName, http.StatusConflict},
		{"another field", http.MethodPost, otherType, otherField, http.StatusConflict},
		{"no content type", http.MethodPost, noKindType, noKind, http.StatusConflict},
		{"by another method", http.MethodPut, goodType, good, http.StatusMethodNotAllowed},
	} {
		t.Run(test.name, func(t *testing.T) {
			crm := New(Options{})
			if status, answer := newSender(t, crm).ask(test.method, "files", test.contentType, test.body); status != test.want {
				t.Errorf("%d %s", status, answer)
			}
			if len(crm.Violations()) != 1 || len(crm.Files()) != 0 {
				t.Errorf("files %v\n%s", crm.Files(), crm.Summary())
			}
		})
	}
}

// What the client could not know, or do anything about, is no fault of its.
func TestALargeOrBrokenUploadIsNoFault(t *testing.T) {
	crm := New(Options{})
	s := newSender(t, crm)
	body, formType := form(t, disposition, "audio/wav", strings.Repeat("x", largestFile+1))
	if status, answer := s.ask(http.MethodPost, "files", formType, body); status != http.StatusConflict || !strings.Contains(string(answer), "fileTooLarge") {
		t.Errorf("too large: %d %s", status, answer)
	}
	body, formType = form(t, disposition, "audio/wav", strings.Repeat("x", largestFile))
	if status, answer := s.ask(http.MethodPost, "files", formType, body); status != http.StatusOK {
		t.Errorf("as large as may be: %d %s", status, answer)
	}
	if files := crm.Files(); len(files) != 1 || files[0].Size != largestFile || len(files[0].Content) != keptOfFile {
		t.Errorf("%d files", len(files))
	}
	s.ask(http.MethodPost, "files", formType, body[:1000])
	remove := crm.Fail(Rule{Kind: KindFile, CutAfter: 100})
	s.ask(http.MethodPost, "files", formType, body)
	remove()
	wantBreaches(t, crm)
	if n := len(crm.Files()); n != 1 {
		t.Errorf("%d files", n)
	}
}

func TestAnUploadNeedsAnAccessKey(t *testing.T) {
	crm := New(Options{})
	s := newSender(t, crm)
	s.key = "another"
	body, formType := form(t, disposition, "audio/wav", "x")
	if status, answer := s.ask(http.MethodPost, "files", formType, body); status != http.StatusUnauthorized || len(crm.Files()) != 0 {
		t.Errorf("%d %s, files %s", status, answer, fmt.Sprint(crm.Files()))
	}
}
