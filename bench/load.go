package main

import (
	"context"
	"fmt"
	"time"
)

// mostOpen is how many calls may be up while events are sent at full speed. They are more
// than enough to keep every connection busy.
const mostOpen = 512

// rate sends the events of a number of calls as fast as the subject takes them. It returns
// how many requests a second the CRM received.
func (s *subject) rate(ctx context.Context, calls int) (float64, error) {
	e := s.expect(calls)
	before, err := s.process.processor()
	if err != nil {
		return 0, err
	}
	began := now()
	var event []byte
	for n := range calls {
		if n >= mostOpen {
			select {
			case <-e.room:
			case <-time.After(patience):
				return 0, s.missing(e)
			}
		}
		for i := range eventsPerCall {
			event = s.bench.script.appendEvent(event[:0], e.from+n, i)
			if err := s.asterisk.send(ctx, event); err != nil {
				return 0, err
			}
		}
	}
	if err := s.awaitAll(e); err != nil {
		return 0, err
	}
	after, err := s.process.processor()
	s.worked += after - before
	s.made += e.requests.Load()
	return float64(e.requests.Load()) / seconds(began, moment(e.last.Load())), err
}

func (s *subject) expect(calls int) *expectation {
	e := s.crm.expect(s.next, calls)
	s.next += calls
	return e
}

// awaitAll waits until every call has ended at the CRM. It returns an error if a request
// is missing, repeated or unexpected.
func (s *subject) awaitAll(e *expectation) error {
	select {
	case <-e.all:
	case <-time.After(patience):
		return s.missing(e)
	}
	if lacking := int64(requestsPerCall*len(e.came)) - e.requests.Load(); lacking > 0 || e.repeated.Load() > 0 || s.crm.strange.Load() > 0 {
		return s.missing(e)
	}
	return nil
}

func (s *subject) missing(e *expectation) error {
	return fmt.Errorf("%d of %d requests came, %d of %d calls were reported to their end, %d requests came twice and %d were not expected (%s); see %s",
		e.requests.Load(), requestsPerCall*len(e.came), e.ended.Load(), len(e.came), e.repeated.Load(), s.crm.strange.Load(), s.crm.example, s.directory)
}
