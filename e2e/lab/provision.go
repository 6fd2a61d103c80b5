package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Switch is the environment variable that leaves the e2e tests out when it is
// "off".
const Switch = "KONTUR_ARI_E2E"

// directory is where provision.sh keeps the provisioned system.
func directory() string {
	if dir := os.Getenv("KONTUR_ARI_LAB_DIR"); dir != "" {
		return dir
	}
	return "/var/cache/kontur-ari-lab"
}

// root is the system that Asterisk is started in.
func root() string { return filepath.Join(directory(), "root") }

// Require says what is missing for a lab to start here, and the command that
// helps; nil when nothing is.
func Require() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("the lab starts Asterisk in a folder of its own, which needs root: run the tests as root, or leave them out with %s=off", Switch)
	}
	if _, err := os.Stat(filepath.Join(root(), "etc", "kontur-ari-lab")); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("there is no Asterisk in %s: run e2e/lab/provision.sh (or `make lab`), or leave the tests out with %s=off", root(), Switch)
		}
		return fmt.Errorf("look for Asterisk: %w", err)
	}
	return nil
}

// modules is where Asterisk's modules are, as seen from within the folder.
func modules() (string, error) {
	found, err := filepath.Glob(filepath.Join(root(), "usr/lib/*/asterisk/modules"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("the folder %s has no Asterisk modules: remove it and run e2e/lab/provision.sh", root())
	}
	inside, err := filepath.Rel(root(), found[0])
	if err != nil {
		return "", fmt.Errorf("find Asterisk's modules: %w", err)
	}
	return "/" + inside, nil
}
