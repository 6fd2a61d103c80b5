package crm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
)

// noise is a file's content that can't be mistaken for another's.
func noise(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(size)}).Read(content) // it never fails
	return content
}

// uploadOf is a file in memory.
func uploadOf(content []byte) bridge.Upload {
	return bridge.Upload{Name: "1795401475.25.wav", ContentType: "audio/wav", Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

func TestAFileIsUploadedAsItIs(t *testing.T) {
	for _, size := range []int{0, 1, 44, 4096, 1 << 20, 5<<20 + 1} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			client, server := newRealPair(t, crmtest.Options{}, func(*Config) {})
			content := noise(size)
			result := client.UploadFile(t.Context(), uploadOf(content))
			files := server.Files()
			if result.Verdict != bridge.Delivered || len(files) != 1 || files[0].ID != result.FileID {
				t.Fatalf("%+v, files %d", result, len(files))
			}
			if f := files[0]; f.Name != "1795401475.25.wav" || f.ContentType != "audio/wav" || f.Size != int64(size) || f.Sum != sha256.Sum256(content) {
				t.Errorf("%s, %s, %d bytes", f.Name, f.ContentType, f.Size)
			}
			if violations := server.Violations(); len(violations) > 0 {
				t.Error(violations)
			}
		})
	}
}

func TestANameOfAnyKindIsUploaded(t *testing.T) {
	client, server := newRealPair(t, crmtest.Options{}, func(*Config) {})
	for _, name := range []string{`a "quoted" name.wav`, "Запись разговора.wav", "semi;colon=1.wav", "line\r\nbreak.wav", "back\\slash.wav"} {
		file := uploadOf([]byte("x"))
		file.Name = name
		if result := client.UploadFile(t.Context(), file); result.Verdict != bridge.Delivered {
			t.Errorf("%q: %+v", name, result)
		}
	}
	if violations := server.Violations(); len(violations) > 0 {
		t.Error(violations)
	}
}

func TestWhatAnUploadIsAnswered(t *testing.T) {
	tooLarge := `{"status":"fileTooLarge","message":"The file is larger than 100 MB."}`
	for _, test := range []struct {
		name string
		rule crmtest.Rule
		want bridge.UploadResult
	}{
		{"too large", crmtest.Rule{Status: http.StatusConflict, Body: tooLarge}, bridge.UploadResult{Verdict: bridge.Refused, TooLarge: true}},
		{"too large for a proxy", crmtest.Rule{Status: http.StatusRequestEntityTooLarge, Body: "<html>"}, bridge.UploadResult{Verdict: bridge.Refused, TooLarge: true}},
		{"another refusal", crmtest.Rule{Status: http.StatusConflict, Body: `{"status":"invalidArgs","message":"no"}`}, bridge.UploadResult{Verdict: bridge.Refused}},
		{"busy", crmtest.Rule{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"7"}}}, bridge.UploadResult{Verdict: bridge.Retry, RetryAfter: 7 * time.Second}},
		{"broken", crmtest.Rule{Status: http.StatusInternalServerError}, bridge.UploadResult{Verdict: bridge.Retry}},
		{"names no file", crmtest.Rule{Status: http.StatusOK, Body: `{"fileName":"a.wav"}`}, bridge.UploadResult{Verdict: bridge.Retry}},
		{"names it otherwise", crmtest.Rule{Status: http.StatusOK, Body: `{"fileId":17}`}, bridge.UploadResult{Verdict: bridge.Retry}},
		{"a page", crmtest.Rule{Status: http.StatusOK, Body: "<html>"}, bridge.UploadResult{Verdict: bridge.Retry}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, server := newRealPair(t, crmtest.Options{}, func(*Config) {})
			test.rule.Kind = crmtest.KindFile
			server.Fail(test.rule)
			result := client.UploadFile(t.Context(), uploadOf(noise(100_000)))
			if result.Reason == "" || result.Status != test.rule.Status || result.FileID != "" {
				t.Errorf("%+v", result)
			}
			result.Reason, result.Status = "", 0
			if result != test.want {
				t.Errorf("%+v, want %+v", result, test.want)
			}
		})
	}
}

// Wherever the connection breaks, the file is not there, and is uploaded whole after.
func TestAnUploadThatIsCutIsMadeAgain(t *testing.T) {
	client, server := newRealPair(t, crmtest.Options{}, func(*Config) {})
	content := noise(4 << 20)
	for tenth := range int64(10) {
		server.Fail(crmtest.Rule{Kind: crmtest.KindFile, CutAfter: max(1, tenth*int64(len(content))/10), Times: 1})
		result := client.UploadFile(t.Context(), uploadOf(content))
		if result.Verdict != bridge.Retry || result.Unreadable != nil || result.Reason == "" || len(server.Files()) != 0 {
			t.Fatalf("cut after %d tenths: %+v, %d files", tenth, result, len(server.Files()))
		}
	}
	if result := client.UploadFile(t.Context(), uploadOf(content)); result.Verdict != bridge.Delivered || server.Files()[0].Sum != sha256.Sum256(content) {
		t.Errorf("%+v", result)
	}
}

func TestAnUploadRenewsTheAccessKey(t *testing.T) {
	client, server := newRealPair(t, crmtest.Options{}, func(*Config) {})
	if err := client.Authorise(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.RevokeKeys()
	var opened atomic.Int64
	content := noise(300_000)
	file := uploadOf(content)
	file.Open = func() (io.ReadCloser, error) {
		opened.Add(1)
		return io.NopCloser(bytes.NewReader(content)), nil
	}
	result := client.UploadFile(t.Context(), file)
	if files := server.Files(); result.Verdict != bridge.Delivered || len(files) != 1 || files[0].Sum != sha256.Sum256(content) || opened.Load() != 2 {
		t.Errorf("%+v, %d files, opened %d times", result, len(files), opened.Load())
	}
}

// A file that is not as it was said to be is not uploaded, and that is not the CRM's fault.
func TestAFileThatChangesIsNotUploaded(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, test := range []struct {
		name string
		size int64
		open func() (io.ReadCloser, error)
		want error
	}{
		{"shorter", 100_001, nil, bridge.ErrChanged},
		{"longer", 99_999, nil, bridge.ErrChanged},
		{"can't be opened", 100_000, func() (io.ReadCloser, error) { return nil, broken }, broken},
		{"can't be read", 100_000, func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(noise(5000)), failing{broken})), nil
		}, broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, server := newRealPair(t, crmtest.Options{}, func(*Config) {})
			file := uploadOf(noise(100_000))
			file.Size = test.size
			if test.open != nil {
				file.Open = test.open
			}
			result := client.UploadFile(t.Context(), file)
			if result.Verdict != bridge.Retry || !errors.Is(result.Unreadable, test.want) || len(server.Files()) != 0 {
				t.Errorf("%+v, %d files", result, len(server.Files()))
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A large file may take longer than a request, as long as something moves.
func TestAnUploadEndsWhenNothingMoves(t *testing.T) {
	const timeout = 300 * time.Millisecond
	client, server := newRealPair(t, crmtest.Options{}, func(c *Config) { c.RequestTimeout = timeout })
	slow := uploadOf(make([]byte, 20))
	slow.Open = func() (io.ReadCloser, error) { return io.NopCloser(&slowly{left: 20, pause: timeout / 10}), nil }
	if result := client.UploadFile(t.Context(), slow); result.Verdict != bridge.Delivered || len(server.Files()) != 1 {
		t.Errorf("a slow file: %+v", result)
	}
	server.Fail(crmtest.Rule{Kind: crmtest.KindFile, Hang: true, Times: 1})
	if result := client.UploadFile(t.Context(), uploadOf(noise(1000))); result.Verdict != bridge.Retry || !strings.Contains(result.Reason, "time") {
		t.Errorf("no answer: %+v", result)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout/10)
	defer cancel()
	server.Fail(crmtest.Rule{Kind: crmtest.KindFile, Hang: true, Times: 1})
	if result := client.UploadFile(ctx, uploadOf(noise(1000))); result.Verdict != bridge.Retry {
		t.Errorf("given up: %+v", result)
	}
}

// slowly gives a byte at a time.
type slowly struct {
	left  int
	pause time.Duration
}

func (s *slowly) Read(into []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.pause)
	s.left--
	return copy(into[:1], "x"), nil
}

// However large the file, memory holds a moment's worth of it.
func TestAnUploadTakesLittleMemory(t *testing.T) {
	client, server := newRealPair(t, crmtest.Options{}, func(*Config) {})
	if err := client.Authorise(t.Context()); err != nil {
		t.Fatal(err)
	}
	const size = 90 << 20
	server.Fail(crmtest.Rule{Kind: crmtest.KindFile, CutAfter: size - 1})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	file := bridge.Upload{Name: "a.wav", ContentType: "audio/wav", Size: size, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeros{}, size)), nil
	}}
	client.UploadFile(t.Context(), file)
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 2<<20 {
		t.Errorf("%d bytes were allocated to upload %d", allocated, size)
	}
}

type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}
