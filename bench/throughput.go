package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// throughputCalls are the calls of a round.
const throughputCalls = 2000

// measureLine compares the daemon with HTTP requests alone and with the program that
// keeps nothing, at full speed and at a steady pace.
func (b *bench) measureLine(ctx context.Context) error {
	daemon, err := b.startDaemon(ctx, "daemon")
	if err != nil {
		return err
	}
	defer daemon.close()
	direct, err := b.startDirect(ctx, "direct")
	if err != nil {
		return err
	}
	defer direct.close()
	keeping, err := b.startDirect(ctx, "keeping")
	if err != nil {
		return err
	}
	defer keeping.close()
	posts, err := b.newSubject("posts")
	if err != nil {
		return err
	}
	defer posts.close()

	var rates [3][]float64
	for range b.rounds {
		for i, rate := range []func() (float64, error){
			func() (float64, error) { return posts.postRate(ctx, throughputCalls) },
			func() (float64, error) { return direct.rate(ctx, throughputCalls) },
			func() (float64, error) { return daemon.rate(ctx, throughputCalls) },
		} {
			measured, err := rate()
			if err != nil {
				return err
			}
			rates[i] = append(rates[i], measured)
		}
	}
	b.add(rateFigure(fmt.Sprintf("event → durable → POST, %d connections", connections), pairs{rates[0], rates[2]}, 0.4, "POST"))
	b.add(rateFigure("the same beside the program that keeps nothing", pairs{rates[1], rates[2]}, 1, "program"))
	mine, others := daemon.worked/time.Duration(daemon.made), direct.worked/time.Duration(direct.made)
	b.add(figure{"processor time per request", microseconds(mine), "program " + microseconds(others), fmt.Sprintf("%.2f", float64(mine)/float64(others)), "", false})
	return b.measureLatency(ctx, direct, keeping, daemon)
}

// postRate has a process make the requests of a number of calls and nothing else.
func (s *subject) postRate(ctx context.Context, calls int) (float64, error) {
	e := s.expect(calls)
	process, err := start(ctx, filepath.Join(s.directory, "log"), s.bench.self, "posts", s.crm.url, fmt.Sprint(connections), fmt.Sprint(e.from), fmt.Sprint(calls))
	if err != nil {
		return 0, err
	}
	defer process.kill()
	if err := s.awaitAll(e); err != nil {
		return 0, err
	}
	// From the first request on: a process takes its time to begin.
	return float64(e.requests.Load()) / seconds(moment(e.first.Load()), moment(e.last.Load())), nil
}
