// Command run starts a lab and keeps it until it is interrupted, for trying
// things by hand: an Asterisk with trunks and phones that answer every call.
// With -call it makes a call to that number from outside, hangs up after the
// given time and stops.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

func main() {
	linkedid := flag.Bool("linkedid", false, "have every channel say its linkedid (channelvars of ari.conf)")
	call := flag.String("call", "", "call this number from outside (78005550101 is employee 101), then stop")
	talk := flag.Duration("talk", 3*time.Second, "how long a call lasts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *linkedid, *call, *talk); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, linkedid bool, number string, talk time.Duration) error {
	options := lab.Options{}
	if linkedid {
		options.ChannelVars = lab.RecommendedVariables
	}
	l, err := lab.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	pickUp := func(ctx context.Context, call *phone.Call) {
		// A step fails once the caller has hung up. That is no fault of the lab.
		_ = call.Ring()
		_ = call.Answer(ctx)
	}
	for _, p := range []*phone.Phone{l.Trunk, l.Trunk2, l.Phone("101"), l.Phone("102"), l.Phone("103"), l.Phone("104")} {
		p.Automatic(pickUp)
	}
	fmt.Printf("ARI       %s\nuser      %s\npassword  %s\nSIP       %s\nlog       %s\n", l.URL, l.Username, l.Password, l.SIP, l.LogFile())
	if number == "" {
		fmt.Println("Interrupt to stop.")
		<-ctx.Done()
		return nil
	}
	return makeCall(ctx, l, number, talk)
}

func makeCall(ctx context.Context, l *lab.Lab, number string, talk time.Duration) error {
	call, err := l.Trunk.Call(ctx, phone.As("79997775533", number))
	if err != nil {
		return err
	}
	if err := call.AwaitAnswered(ctx); err != nil {
		return err
	}
	fmt.Println("answered")
	select {
	case <-time.After(talk):
	case <-ctx.Done():
	}
	return call.Hangup(context.WithoutCancel(ctx))
}
