// Command kontur-ari joins an Asterisk telephone exchange to Kontur.CRM.
//
// Its exit code is 0 after an orderly stop, 2 where the configuration is at
// fault (a restart can't help), and 1 for everything else.
//
// Each command has a file of its name. The daemon is in internal/daemon, what belongs to one
// call (story, ladder, replay) in internal/casebook.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
)

// The exit codes. The unit has systemd not restart after exitConfiguration.
const (
	exitOK            = 0
	exitFailure       = 1
	exitConfiguration = 2
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return execute(ctx, rootCommand(), args, stdout, stderr)
}

func execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "kontur-ari: %v\n", err)
	_, unreadable := errors.AsType[*configs.Error](err)
	_, unusable := errors.AsType[*setup.UnusableError](err)
	if unreadable || unusable {
		return exitConfiguration
	}
	return exitFailure
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "kontur-ari",
		Short:         "Joins an Asterisk telephone exchange to Kontur.CRM",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(runCommand(), checkConfigCommand(), ladderCommand(), replayCommand(), outboxCommand(), recordingsCommand(), integrationCommand(), versionCommand())
	return root
}

// configFlag adds the flag that names the configuration file.
func configFlag(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("config", "c", "/etc/kontur-ari/kontur-ari.yaml", "the configuration file")
}

func runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Follow the switch and tell the CRM, until SIGTERM or SIGINT",
		Args:  cobra.NoArgs,
	}
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		hangups, release := catchSIGHUP()
		defer release()
		cfg, warnings, err := configs.Load(*path)
		if err != nil {
			return err
		}
		return runDaemon(cmd.Context(), cfg, warnings, hangups, cmd.ErrOrStderr())
	}
	return cmd
}

func checkConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check-config",
		Short: "Read the configuration file and say what is wrong with it",
		Args:  cobra.NoArgs,
	}
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, warnings, err := configs.Check(*path)
		for _, warning := range warnings {
			fmt.Fprintf(cmd.OutOrStdout(), "warning: %s\n", warning)
		}
		if err != nil {
			return err
		}
		if _, err := setup.Directory(cfg); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "the configuration is good: node %s, %d users, %d trunks\n", cfg.Node, len(cfg.Directory.Users), len(cfg.Directory.Trunks))
		return nil
	}
	return cmd
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and what it was built with",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), versionLine())
			return err
		},
	}
}
