package faults_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"kontur-ari/bridge/directory"
	"kontur-ari/e2e/lab"
)

var (
	full = flag.Bool("full", false, "all faults, and not the short form")
	page = flag.String("page", "", "the page to write the table into, if nothing is found")
	seed = flag.Uint64("seed", 0, "seed of the moments and calls; 0 takes a new one")
)

// suite is what all tests of the package share.
var suite struct {
	// directory is the path for files of the suite, program the path of kontur-ari.
	directory, program string
	tapes              []*tape
	people             *directory.Directory
	// strangers holds the same people without their mobiles.
	strangers *directory.Directory
	table     table
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	if os.Getenv(lab.Switch) == "off" {
		fmt.Println("the fault suite is left out: " + lab.Switch + "=off")
		return 0
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	err := sweep()
	if err == nil {
		suite.directory, err = os.MkdirTemp("", fmt.Sprintf("%s%d-", directoryPrefix, os.Getpid()))
	}
	if err == nil {
		defer func() { _ = os.RemoveAll(suite.directory) }()
		err = prepare()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: the fault suite can't run:", err)
		return 1
	}
	code = m.Run()
	fmt.Printf("chosen with -args -seed %d\n\n%s\n", *seed, suite.table.markdown())
	if code == 0 && *page != "" {
		if err := suite.table.write(*page); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL: the table can't be written:", err)
			return 1
		}
	}
	return code
}

// prepare builds the program and loads the tapes and people that the tests share.
func prepare() (err error) {
	if suite.program, err = buildReleased(context.Background(), suite.directory); err != nil {
		return err
	}
	if suite.strangers, err = people(func(string) string { return "" }); err != nil {
		return err
	}
	if suite.tapes, err = loadTapes(filepath.Join("..", "testdata", "captures")); err != nil {
		return err
	}
	suite.people, err = people(lab.Mobile)
	return err
}

// buildReleased builds kontur-ari as it is released: without the race detector.
func buildReleased(ctx context.Context, people string) (string, error) {
	program := filepath.Join(people, "kontur-ari")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", program, "kontur-ari/cmd/kontur-ari")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build kontur-ari: %w\n%s", err, output)
	}
	return program, nil
}

// people returns the directory of the captured calls. With the lab's mobiles it is also
// that of the daemon's configuration.
func people(mobile func(extension string) string) (*directory.Directory, error) {
	numbers, err := directory.NewNumbers("RU", regexp.MustCompile(`\d{2,5}`), "anonymous")
	if err != nil {
		return nil, err
	}
	var users []directory.User
	for _, extension := range (lab.DaemonConfig{}).Users() {
		users = append(users, directory.User{
			ID: lab.UserID(extension), Extension: extension, Endpoint: "PJSIP/" + extension, Mobile: mobile(extension),
		})
	}
	trunks := []directory.Trunk{{Endpoint: "PJSIP/trunk", Number: lab.OutsideNumber}, {Endpoint: "PJSIP/trunk2", Number: lab.OutsideNumber}}
	return directory.New(users, trunks, numbers)
}
