package lab

import (
	"context"
	"fmt"
	"io"
	"os/exec"
)

// Ladder writes the story of a call, as kontur-ari's own command reads it from
// the daemon's storage. The daemon may be running or not.
func (d *Daemon) Ladder(ctx context.Context, out io.Writer, call string) error {
	cmd := exec.CommandContext(ctx, d.program, "ladder", "--config", d.config, call)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kontur-ari ladder %s: %w", call, err)
	}
	return nil
}
