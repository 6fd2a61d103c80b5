package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"kontur-ari/bridge/directory"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// run is the bench, or, by its first argument, one of the programs that it starts.
func run(ctx context.Context, arguments []string, out io.Writer) error {
	if len(arguments) > 0 {
		switch arguments[0] {
		case "direct":
			return withNumbers(arguments[3:4], func(n []int) error { return runDirect(ctx, arguments[1], arguments[2], n[0], nil) })
		case "keeping":
			kept, err := openLedger(arguments[4])
			if err != nil {
				return err
			}
			return withNumbers(arguments[3:4], func(n []int) error { return runDirect(ctx, arguments[1], arguments[2], n[0], kept) })
		case "posts":
			return withNumbers(arguments[2:], func(n []int) error { return runPosts(ctx, arguments[1], n[0], n[1], n[2]) })
		}
	}
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.directory, "dir", "bin", "measure on the file system of this directory; what is written there is removed")
	flags.StringVar(&o.page, "page", "", "write the table into this page, between its markers")
	flags.StringVar(&o.only, "only", "", "measure only parts that match this pattern: commit, line, pending, burst, upload")
	flags.IntVar(&o.rounds, "rounds", 5, "how many rounds of yardstick and subject alternate")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	return measureAll(ctx, o, out)
}

func withNumbers(texts []string, do func([]int) error) error {
	numbers := make([]int, len(texts))
	for i, text := range texts {
		var err error
		if numbers[i], err = strconv.Atoi(text); err != nil {
			return err
		}
	}
	return do(numbers)
}

// options are the command line.
type options struct {
	directory, page, only string
	rounds                int
}

// bench is what all measurements share.
type bench struct {
	// self and daemon are programs, directory is where they keep their files.
	self, daemon, directory string
	rounds                  int
	// script is a call, recorded the same where Asterisk does not show what is recorded.
	script, recorded script
	office           *directory.Directory
	// nextCall is the number of the next call that is committed without a daemon.
	nextCall int
	figures  []figure
}

func (b *bench) add(f figure) {
	b.figures = append(b.figures, f)
	fmt.Fprintln(os.Stderr, strings.Join(f.cells(), " | "))
}

func measureAll(ctx context.Context, o options, out io.Writer) (err error) {
	b := &bench{rounds: o.rounds}
	if b.self, err = os.Executable(); err != nil {
		return fmt.Errorf("looking for this program: %w", err)
	}
	if b.script, err = readScript(".", true); err != nil {
		return err
	}
	if b.recorded, err = readScript(".", false); err != nil {
		return err
	}
	if b.office, err = office(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.directory, 0o750); err != nil {
		return fmt.Errorf("making room: %w", err)
	}
	host, err := describe(o.directory)
	if err != nil {
		return err
	}
	if b.directory, err = os.MkdirTemp(o.directory, "bench-"); err != nil {
		return fmt.Errorf("making room: %w", err)
	}
	if b.directory, err = filepath.Abs(b.directory); err != nil {
		return fmt.Errorf("making room: %w", err)
	}
	if b.daemon, err = buildDaemon(ctx, b.directory); err != nil {
		return err
	}
	wanted, err := regexp.Compile(o.only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	for _, part := range []struct {
		name    string
		measure func(context.Context) error
	}{
		{"commit", b.measureCommits}, {"line", b.measureLine}, {"pending", b.measurePending}, {"burst", b.measureBurst}, {"upload", b.measureUpload},
	} {
		if !wanted.MatchString(part.name) {
			continue
		}
		if err := part.measure(ctx); err != nil {
			// What was written stays, to be looked at.
			return fmt.Errorf("measuring %s: %w", part.name, err)
		}
	}
	if err := os.RemoveAll(b.directory); err != nil {
		return fmt.Errorf("tidying up: %w", err)
	}
	fmt.Fprintln(out, host)
	if err := printTable(out, b.figures); err != nil {
		return err
	}
	if o.page == "" {
		return nil
	}
	return writePage(o.page, host, b.figures)
}

// office is the directory of the daemon that is measured.
func office() (*directory.Directory, error) {
	numbers, err := directory.NewNumbers("RU", regexp.MustCompile(`^\d{2,5}$`), "anonymous")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	people, err := directory.New(
		[]directory.User{{ID: "ae9c0d0e-0000-4000-8000-000000000101", Extension: "101", Endpoint: "PJSIP/101"}},
		[]directory.Trunk{{Endpoint: "PJSIP/trunk", Number: "79229929292"}}, numbers)
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	return people, nil
}
