package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// steadyPace is how many events a second are sent, for steadyCalls calls a round.
	steadyPace, steadyCalls = 500, 300
	// warmingUp is how many calls run before the measured ones, to fill the caches.
	warmingUp = 50
	// abreast is how many calls are up at a time. So some time passes between two events
	// of a call, as in a real one.
	abreast = 50
)

// measureLatency compares how long after its event each request arrives, at a steady
// pace of events.
func (b *bench) measureLatency(ctx context.Context, direct, keeping, daemon *subject) error {
	var plain, least, durable, plainFirst, leastFirst, durableFirst, disk []time.Duration
	for range b.rounds {
		// The pace is that of the events: a disk that is idle in between takes longer.
		times, err := flushes(b.directory, flushing, time.Second/steadyPace)
		if err != nil {
			return err
		}
		disk = append(disk, times...)
		all, first, err := direct.steadyLatencies(ctx)
		if err != nil {
			return err
		}
		plain, plainFirst = append(plain, all...), append(plainFirst, first...)
		if all, first, err = keeping.steadyLatencies(ctx); err != nil {
			return err
		}
		least, leastFirst = append(least, all...), append(leastFirst, first...)
		if all, first, err = daemon.steadyLatencies(ctx); err != nil {
			return err
		}
		durable, durableFirst = append(durable, all...), append(durableFirst, first...)
	}
	flush, slow := percentile(disk, 0.5), percentile(disk, 0.99)
	name := fmt.Sprintf("event → POST at %d events/s", steadyPace)
	half, yardstick := percentile(durable, 0.5), percentile(plain, 0.5)
	b.add(figure{name + ", p50", milliseconds(half), "program " + milliseconds(yardstick),
		fmt.Sprintf("+ %.1f flushes of %s", float64(half-yardstick)/float64(flush), milliseconds(flush)), "≤ program + 3 flushes", half <= yardstick+3*flush})
	late := lateFigure(name+", p99", durable, plain)
	late.yardstick += ", flush " + milliseconds(slow)
	late.aim, late.met = "≤ 2", percentile(durable, 0.99) <= 2*percentile(plain, 0.99)
	b.add(late)
	b.add(lateFigure(name+", p99 of the program that only flushes", least, plain))
	b.add(lateFigure(name+", p99 of the first POST of an event", durableFirst, plainFirst))
	b.add(lateFigure(name+", p99 of the first, of the program that only flushes", leastFirst, plainFirst))
	return nil
}

// lateFigure compares the 99th percentiles of two programs.
func lateFigure(name string, subject, program []time.Duration) figure {
	late, yardstick := percentile(subject, 0.99), percentile(program, 0.99)
	return figure{name: name, measured: milliseconds(late), yardstick: "program " + milliseconds(yardstick), ratio: fmt.Sprintf("%.2f", float64(late)/float64(yardstick))}
}

// steadyLatencies returns the latencies at the steady pace, after the warm-up.
func (s *subject) steadyLatencies(ctx context.Context) (all, first []time.Duration, err error) {
	if _, _, err := s.latencies(ctx, steadyPace, warmingUp); err != nil {
		return nil, nil, err
	}
	return s.latencies(ctx, steadyPace, steadyCalls)
}

// latencies sends events at a steady pace. It returns how long after its event each
// request arrived: for all requests, and for the first request of each event.
func (s *subject) latencies(ctx context.Context, perSecond, calls int) (all, first []time.Duration, err error) {
	e := s.expect(calls)
	written := make([][eventsPerCall]moment, calls)
	interval := moment(time.Second) / moment(perSecond)
	due := now()
	var event []byte
	for group := 0; group < calls; group += abreast {
		for i := range eventsPerCall {
			for n := group; n < min(group+abreast, calls); n++ {
				event = s.bench.script.appendEvent(event[:0], e.from+n, i)
				if early := due - now(); early > 0 {
					time.Sleep(time.Duration(early))
				}
				due += interval
				written[n][i] = now()
				if err := s.asterisk.send(ctx, event); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	if err := s.awaitAll(e); err != nil {
		return nil, nil, err
	}
	for n := range calls {
		for kind := range requestsPerCall {
			took := time.Duration(moment(e.came[n][kind].Load()) - written[n][cause[kind]])
			all = append(all, took)
			if kind == started || cause[kind] != cause[kind-1] {
				first = append(first, took)
			}
		}
	}
	return all, first, nil
}

// percentile returns the value that a share of the times does not exceed.
func percentile(times []time.Duration, share float64) time.Duration {
	slices.Sort(times)
	return times[min(len(times)-1, int(share*float64(len(times))))]
}
