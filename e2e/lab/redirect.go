package lab

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
)

// Redirect takes an endpoint's only channel out of what it does and sends it to
// an extension, as an operator's program does with AMI's Redirect.
func (l *Lab) Redirect(ctx context.Context, endpoint, extension string) error {
	names, err := l.channelNames(ctx)
	if err != nil {
		return err
	}
	var channels []string
	for _, name := range names {
		if endpointOf(name) == endpoint {
			channels = append(channels, name)
		}
	}
	if len(channels) != 1 {
		return fmt.Errorf("redirect %s: it has the channels %q and not a single one", endpoint, channels)
	}
	said, err := l.asterisk.command(ctx, fmt.Sprintf("channel redirect %s from-internal,%s,1", channels[0], extension))
	if err != nil {
		return err
	}
	if !strings.Contains(said, "successfully redirected") {
		return fmt.Errorf("redirect %s: %s", channels[0], said)
	}
	return nil
}

// command gives Asterisk a command of its console, and returns what it says.
func (a *asterisk) command(ctx context.Context, command string) (string, error) {
	cmd := exec.CommandContext(ctx, "/usr/sbin/asterisk", "-C", a.instance.inside+"/etc/asterisk.conf", "-rx", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root()}
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root"}
	output, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("command %q of Asterisk: %w: %s", command, err, output)
	}
	return string(output), nil
}
