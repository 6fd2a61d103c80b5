package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"kontur-ari/e2e/lab"
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	if os.Getenv(lab.Switch) == "off" {
		fmt.Println("e2e tests are left out: " + lab.Switch + "=off")
		return 0
	}
	var err error
	if programDirectory, err = os.MkdirTemp("", "kontur-ari-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(programDirectory) }()
	// Without a lab every test would fail, so start none.
	first, err := labs.take(context.Background(), nil)
	if err == nil {
		err = labs.giveBack(first)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: the e2e tests can't run:", err)
		return 1
	}
	code = m.Run()
	if err := labs.close(); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: closing the labs:", err)
		return 1
	}
	return code
}
