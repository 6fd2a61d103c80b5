package recordings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

var (
	// ErrOutside means that a name leads out of the directory of the recordings, by "..",
	// as another absolute path or over a symbolic link.
	ErrOutside = errors.New("it is not below the directory of the recordings")
	// ErrNoFile means that a name is no file that can be read to its end: a directory, a
	// FIFO, a device, a socket, or no name at all.
	ErrNoFile = errors.New("it is no regular file")
)

// Folder is the directory of the recordings. Nothing outside of it is ever opened,
// whatever the names say that come from the dial plan ([os.Root]). All methods may be
// called concurrently, but Close only after the others have returned.
type Folder struct {
	root *os.Root
	// path is what the directory is called, resolved is that without symbolic links.
	path, resolved string
}

// OpenFolder opens the directory at an absolute path. It may be a symbolic link.
func OpenFolder(path string) (*Folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("opening the directory of the recordings: %w", err)
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the directory of the recordings: %w", err), root.Close())
	}
	return &Folder{root: root, path: filepath.Clean(path), resolved: resolved}, nil
}

// Close lets the directory go.
func (f *Folder) Close() error { return f.root.Close() }

// Open opens a recording. The name is relative to the directory, or an absolute path
// below it, as MIXMONITOR_FILENAME has it; its bytes need not be UTF-8. The error
// matches [ErrOutside], [ErrNoFile] or what the system says, such as [fs.ErrNotExist].
// It never waits for somebody to write, as opening a FIFO would.
func (f *Folder) Open(name string) (*os.File, error) {
	local, err := f.local(name)
	if err != nil {
		return nil, fmt.Errorf("opening the recording %q: %w", name, err)
	}
	// Opening a device may do something by itself.
	info, err := f.root.Stat(local)
	if err != nil {
		return nil, f.explain(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("opening the recording %q: %w", name, ErrNoFile)
	}
	file, err := f.root.OpenFile(local, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, f.explain(name, err)
	}
	// Another may have taken its place meanwhile.
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = ErrNoFile
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the recording %q: %w", name, err), file.Close())
	}
	return file, nil
}

// local is a name as seen from the directory.
func (f *Folder) local(name string) (string, error) {
	if name == "" || strings.ContainsRune(name, 0) {
		return "", ErrNoFile
	}
	if !filepath.IsAbs(name) {
		// What leads up and down again is the root's to judge, link by link.
		return name, nil
	}
	for _, top := range []string{f.path, f.resolved} {
		if below, ok := strings.CutPrefix(filepath.Clean(name), strings.TrimSuffix(top, "/")+"/"); ok {
			return below, nil
		}
	}
	// It may be below the directory by another name of that.
	parent, err := filepath.EvalSymlinks(filepath.Dir(name))
	if err != nil {
		return "", ErrOutside
	}
	if below, err := filepath.Rel(f.resolved, filepath.Join(parent, filepath.Base(name))); err == nil && filepath.IsLocal(below) {
		return below, nil
	}
	return "", ErrOutside
}

// explain names what [os.Root] has no error of its own for.
func (f *Folder) explain(name string, err error) error {
	if _, ok := errors.AsType[syscall.Errno](err); !ok && !errors.Is(err, fs.ErrNotExist) {
		// "path escapes from parent": the only error that is not the system's.
		err = errors.Join(ErrOutside, err)
	}
	return fmt.Errorf("opening the recording %q: %w", name, err)
}

// Remove removes a recording, named as for Open.
func (f *Folder) Remove(name string) error {
	local, err := f.local(name)
	if err == nil {
		err = f.root.Remove(local)
	}
	if err != nil {
		return fmt.Errorf("removing the recording %q: %w", name, err)
	}
	return nil
}
