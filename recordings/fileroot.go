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
	// errOutside means that a name leads out of the directory of the recordings, by "..",
	// as another absolute path or over a symbolic link.
	errOutside = errors.New("it is not below the directory of the recordings")
	// errNoFile means that a name is no file that can be read to its end: a directory, a
	// FIFO, a device, a socket, or no name at all.
	errNoFile = errors.New("it is no regular file")
)

// fileRoot is an opened directory of recordings. It opens nothing outside of the
// directory, whatever names the dial plan makes ([os.Root]). All methods may be called
// concurrently, but Close only after the others have returned.
type fileRoot struct {
	root *os.Root
	// path is the configured path, resolved the same without symbolic links.
	path, resolved string
}

// openFileRoot opens the directory at an absolute path. It may be a symbolic link.
func openFileRoot(path string) (*fileRoot, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("opening the directory of the recordings: %w", err)
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the directory of the recordings: %w", err), root.Close())
	}
	return &fileRoot{root: root, path: filepath.Clean(path), resolved: resolved}, nil
}

// Close closes the directory.
func (f *fileRoot) Close() error { return f.root.Close() }

// Open opens a recording. The name is relative to the directory, or an absolute path
// below it, as MIXMONITOR_FILENAME has it; its bytes need not be UTF-8. The error
// matches [errOutside], [errNoFile] or what the system says, such as [fs.ErrNotExist].
// It never waits for a writer, as opening a FIFO would.
func (f *fileRoot) Open(name string) (*os.File, error) {
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
		return nil, fmt.Errorf("opening the recording %q: %w", name, errNoFile)
	}
	file, err := f.root.OpenFile(local, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, f.explain(name, err)
	}
	// Another file may have taken its place since.
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = errNoFile
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the recording %q: %w", name, err), file.Close())
	}
	return file, nil
}

// local makes a name relative to the directory.
func (f *fileRoot) local(name string) (string, error) {
	if name == "" || strings.ContainsRune(name, 0) {
		return "", errNoFile
	}
	if !filepath.IsAbs(name) {
		// [os.Root] judges "..", link by link.
		return name, nil
	}
	for _, top := range []string{f.path, f.resolved} {
		if below, ok := strings.CutPrefix(filepath.Clean(name), strings.TrimSuffix(top, "/")+"/"); ok {
			return below, nil
		}
	}
	// The name may use another path to the same directory.
	parent, err := filepath.EvalSymlinks(filepath.Dir(name))
	if err != nil {
		return "", errOutside
	}
	if below, err := filepath.Rel(f.resolved, filepath.Join(parent, filepath.Base(name))); err == nil && filepath.IsLocal(below) {
		return below, nil
	}
	return "", errOutside
}

// explain adds [errOutside], for which [os.Root] has no error of its own.
func (f *fileRoot) explain(name string, err error) error {
	if _, ok := errors.AsType[syscall.Errno](err); !ok && !errors.Is(err, fs.ErrNotExist) {
		// "path escapes from parent" is the only error that is not the system's.
		err = errors.Join(errOutside, err)
	}
	return fmt.Errorf("opening the recording %q: %w", name, err)
}

// Remove removes a recording, named as for Open.
func (f *fileRoot) Remove(name string) error {
	local, err := f.local(name)
	if err == nil {
		err = f.root.Remove(local)
	}
	if err != nil {
		return fmt.Errorf("removing the recording %q: %w", name, err)
	}
	return nil
}
