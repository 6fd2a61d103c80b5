package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
)

// The markers of the page between which the table stands.
const (
	pageBegin = "<!-- figures: written by make bench-page -->\n"
	pageEnd   = "<!-- end of figures -->\n"
)

// describe says what kind of machine this is.
func describe(directory string) (string, error) {
	kind, err := fileSystem(directory)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d cores (%s/%s), %s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, kind, runtime.Version()), nil
}

// writePage replaces what stands between the page's markers.
func writePage(path, host string, figures []figure) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	begin, end := bytes.Index(page, []byte(pageBegin)), bytes.Index(page, []byte(pageEnd))
	if begin < 0 || end < begin {
		return fmt.Errorf("writing the page: %s has no markers", path)
	}
	var text bytes.Buffer
	text.Write(page[:begin+len(pageBegin)])
	fmt.Fprintf(&text, "\nMeasured by `make bench-page` on %s.\n\n%s\n", host, markdown(figures))
	text.Write(page[end:])
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}
