package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
	"kontur-ari/crm"
)

func integrationCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "integration",
		Short: "Show and change how the CRM has this integration set up",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("integration: say status, enable or disable")
		},
	}
	cmd.AddCommand(
		integrationVerb("status", "Show the integration as the CRM has it, and what is not as it should be", showIntegration),
		integrationVerb("enable", "Let the CRM dial and hang up, and register the webhooks that are not there", enableIntegration),
		integrationVerb("disable", "Have the CRM neither dial nor hang up; the webhooks stay", disableIntegration),
	)
	return cmd
}

// integrationVerb makes a command that uses the CRM alone, so it may run beside the
// daemon.
func integrationVerb(use, short string, act func(context.Context, *integration) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs}
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := configs.Load(*path)
		if err != nil {
			return err
		}
		log, err := setup.Logger(configs.Log{Level: "warn", Format: "console"}, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		client, err := setup.Client(cfg, version, log)
		if err != nil {
			return err
		}
		defer client.Close()
		return act(cmd.Context(), &integration{client: client, cfg: cfg, out: cmd.OutOrStdout()})
	}
	return cmd
}

// integration is the access to the CRM that one command needs.
type integration struct {
	client *crm.Client
	cfg    configs.Config
	out    io.Writer
}

func showIntegration(ctx context.Context, i *integration) error {
	now, err := i.client.Instance(ctx)
	if err != nil {
		return err
	}
	i.show(now)
	wrong := shortcomings(now, i.cfg)
	if len(wrong) == 0 {
		fmt.Fprintln(i.out, "all is as it should be")
		return nil
	}
	for _, text := range wrong {
		fmt.Fprintf(i.out, "wrong: %s\n", text)
	}
	return fmt.Errorf("the integration is not as it should be: %d things are wrong", len(wrong))
}

func enableIntegration(ctx context.Context, i *integration) error {
	after, err := i.change(ctx, wantedChanges)
	for _, text := range shortcomings(after, i.cfg) {
		fmt.Fprintf(i.out, "warning: %s\n", text)
	}
	return err
}

func disableIntegration(ctx context.Context, i *integration) error {
	after, err := i.change(ctx, func(now crm.Installation) []change {
		if !now.Features.Call && !now.Features.Hangup {
			return nil
		}
		return []change{{"CALL and HANGUP switched off", crm.SwitchFeatures(now.Features, false)}}
	})
	if len(after.WebHooks) > 0 {
		fmt.Fprintln(i.out, "the webhooks stay: the CRM documents no way to take them away")
	}
	return err
}

// change is one operation on the instance, with its description.
type change struct {
	what      string
	operation crm.Operation
}

// change sends the wanted changes one by one and prints the instance before and after.
// A change that the CRM refuses does not stop the others. It returns the instance
// afterwards, or the zero value if reading it failed.
func (i *integration) change(ctx context.Context, wanted func(crm.Installation) []change) (crm.Installation, error) {
	before, err := i.client.Instance(ctx)
	if err != nil {
		return crm.Installation{}, err
	}
	fmt.Fprintln(i.out, "before")
	i.show(before)
	changes := wanted(before)
	if len(changes) == 0 {
		fmt.Fprintln(i.out, "nothing to change")
		return before, nil
	}
	var failures []error
	for _, c := range changes {
		if _, err := i.client.Configure(ctx, c.operation); err != nil {
			fmt.Fprintf(i.out, "not done: %s\n", c.what)
			failures = append(failures, fmt.Errorf("%s: %w", c.what, err))
			continue
		}
		fmt.Fprintf(i.out, "done: %s\n", c.what)
	}
	// The answers are not enough to know the instance: one may have been lost.
	after, err := i.client.Instance(ctx)
	if err != nil {
		return crm.Installation{}, errors.Join(append(failures, err)...)
	}
	fmt.Fprintln(i.out, "after")
	i.show(after)
	return after, errors.Join(failures...)
}
