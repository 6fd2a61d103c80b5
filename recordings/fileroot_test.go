package recordings

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// monitor is a directory of recordings with something of everything in it, beside a
// directory that must not be read.
func monitor(t *testing.T) (folder *fileRoot, path, outside string) {
	t.Helper()
	parent := t.TempDir()
	path, outside = filepath.Join(parent, "monitor"), filepath.Join(parent, "outside")
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(elements ...string) {
		do(os.WriteFile(filepath.Join(elements...), []byte(elements[len(elements)-1]), 0o600))
	}
	do(os.MkdirAll(filepath.Join(path, "2026", "11"), 0o700))
	do(os.Mkdir(outside, 0o700))
	write(outside, "secret")
	write(path, "plain.wav")
	write(path, "2026", "11", "dated.wav")
	write(path, "Запись.wav")
	write(path, "latin1-\xe9\xff.wav")
	write(path, "..dots.wav")
	do(os.Symlink("2026/11/dated.wav", filepath.Join(path, "inside.wav")))
	do(os.Symlink(filepath.Join(outside, "secret"), filepath.Join(path, "out.wav")))
	do(os.Symlink("../outside", filepath.Join(path, "outdir")))
	do(os.Symlink("round.wav", filepath.Join(path, "round.wav")))
	do(os.Symlink(path, filepath.Join(parent, "alias")))
	do(syscall.Mkfifo(filepath.Join(path, "fifo.wav"), 0o600))
	do(mkdevice(filepath.Join(path, "device.wav")))
	folder, err := openFileRoot(path)
	do(err)
	t.Cleanup(func() { do(folder.Close()) })
	return folder, path, outside
}

// mkdevice makes another /dev/null, which only root may, or else a socket.
func mkdevice(path string) error {
	err := syscall.Mknod(path, syscall.S_IFCHR|0o600, 1<<8|3)
	if errors.Is(err, syscall.EPERM) {
		err = syscall.Mknod(path, syscall.S_IFSOCK|0o600, 0)
	}
	return err
}

func TestOnlyWhatIsInTheFolderIsOpened(t *testing.T) {
	folder, path, outside := monitor(t)
	alias := filepath.Join(filepath.Dir(path), "alias")
	for _, test := range []struct {
		name, content string
		want          error
	}{
		{"plain.wav", "plain.wav", nil},
		{"2026/11/dated.wav", "dated.wav", nil},
		{"2026/../plain.wav", "plain.wav", nil},
		{path + "/plain.wav", "plain.wav", nil},
		{path + "//2026/./11/dated.wav", "dated.wav", nil},
		{alias + "/2026/11/dated.wav", "dated.wav", nil},
		{"Запись.wav", "Запись.wav", nil},
		{"latin1-\xe9\xff.wav", "latin1-\xe9\xff.wav", nil},
		{"..dots.wav", "..dots.wav", nil},
		{"inside.wav", "dated.wav", nil},
		{"", "", errNoFile},
		{"a\x00b", "", errNoFile},
		{"plain.wav\x00.mp3", "", errNoFile},
		{".", "", errNoFile},
		{path, "", errNoFile},
		{"2026/11", "", errNoFile},
		{"fifo.wav", "", errNoFile},
		{"device.wav", "", errNoFile},
		{"../outside/secret", "", errOutside},
		{"2026/../../outside/secret", "", errOutside},
		{path + "/../outside/secret", "", errOutside},
		{outside + "/secret", "", errOutside},
		{"/etc/passwd", "", errOutside},
		{"/nowhere/at/all.wav", "", errOutside},
		{path + "2/plain.wav", "", errOutside},
		{"out.wav", "", errOutside},
		{"outdir/secret", "", errOutside},
		{"round.wav", "", syscall.ELOOP},
		{"missing.wav", "", fs.ErrNotExist},
		{"plain.wav/below.wav", "", syscall.ENOTDIR},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, err := folder.Open(test.name)
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			for _, other := range []error{errOutside, errNoFile, fs.ErrNotExist} {
				if other != test.want && errors.Is(err, other) {
					t.Errorf("%v matches %v as well", err, other)
				}
			}
			if err != nil {
				return
			}
			content, err := io.ReadAll(file)
			if err := errors.Join(err, file.Close()); err != nil || string(content) != test.content {
				t.Errorf("%q, error %v", content, err)
			}
		})
	}
}

// A FIFO that takes the place of a file in the last moment is not waited for.
func TestAFileThatBecomesAFIFOIsNotWaitedFor(t *testing.T) {
	folder, path, _ := monitor(t)
	changing := filepath.Join(path, "changing.wav")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			// Who loses a race here tries again.
			_ = os.WriteFile(changing+"1", []byte("x"), 0o600)
			_ = os.Rename(changing+"1", changing)
			_ = syscall.Mkfifo(changing+"2", 0o600)
			_ = os.Rename(changing+"2", changing)
		}
	}()
	defer func() { close(stop); <-stopped }()
	refused := 0
	for until := time.Now().Add(200 * time.Millisecond); time.Now().Before(until); {
		file, err := folder.Open("changing.wav")
		switch {
		case errors.Is(err, errNoFile):
			refused++
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			t.Fatal(err)
		default:
			if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
				t.Fatalf("opened: %v, error %v", info.Mode(), err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if refused == 0 {
		t.Error("there never was a FIFO")
	}
}

func TestAFolderThatIsNotThereIsSaid(t *testing.T) {
	if _, err := openFileRoot(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
