package recordings

import (
	"path"
	"sync"

	"kontur-ari/bridge"
)

// shrinking remembers at which bit rate to convert recordings that the CRM found too
// large. It lives as long as the process; the next process finds out again. It may be used
// concurrently.
type shrinking struct {
	mu    sync.Mutex
	rates map[int64]bitRate
}

// rateOf returns the bit rate at which to convert a recording; 0 for no conversion. always
// converts those as well that the CRM may accept as they are.
func (s *shrinking) rateOf(job bridge.RecordingJob, always bool) bitRate {
	s.mu.Lock()
	defer s.mu.Unlock()
	rate := s.rates[job.ID]
	if rate == asItIs {
		return 0
	}
	if rate == 0 && (always || job.Size > largestFile) {
		rate = usualRate
	}
	return rate
}

// giveUp has a recording uploaded as it is from now on, after a conversion that failed.
func (s *shrinking) giveUp(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rates[id] = asItIs
}

// forget forgets a job that has ended.
func (s *shrinking) forget(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rates, id)
}

// lower chooses the next lower bit rate after one that was too large; false where there is
// none.
func (s *shrinking) lower(id int64, tried bitRate) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if tried == lowRate || s.rates[id] == asItIs {
		return false
	}
	if s.rates[id] = usualRate; tried == usualRate {
		s.rates[id] = lowRate
	}
	return true
}

// shrink has a recording that the CRM found too large converted for the next upload; false
// where it can't be made smaller.
func (c *Courier) shrink(job bridge.RecordingJob) bool {
	_, can := c.convert.command(path.Ext(job.File.Name), lowRate)
	return can && c.sizes.lower(job.ID, c.sizes.rateOf(job, c.config.Conversion.Always))
}
