// Package delivery sends reports from the outbox to the CRM.
//
// What it guarantees:
//   - The reports of one call are sent in the order in which they were committed, and
//     at most one of them is in flight. Different calls are sent side by side.
//   - A report leaves the outbox only once the CRM took it or refused it for good, and
//     that is durable before the next report of the call is sent. So a report is sent at
//     least once; a crash between the answer and its recording repeats that one request.
//   - While answers can't be recorded, nothing more is sent.
//
// What becomes of a request is the [bridge.Verdict] of the [bridge.Sender]:
//   - Delivered: it is recorded, and the call goes on.
//   - Refused, such as 409 and 400: it becomes a dead letter, and the call goes on.
//   - Retry, such as 5xx or no answer in time: the call pauses, twice as long after each
//     failure in a row. Other calls go on, unless several fail in a row.
//   - Retry for everybody, such as a CRM that can't be reached or an access key that can't
//     be had (401), or with a pause that the CRM asks for (429): all calls pause. Then the
//     CRM is probed by one request at a time (internal/breaker).
//   - Expired: a recording that the CRM has forgotten is not sent, but uploaded again.
//
// It has three parts: the feeder reads the oldest reports of calls that are ready, the
// workers send them and record the answers, and under load recordAnswers stores many
// answers together. Calls that are over before the CRM heard of them collapse into their
// last report (collapse.go).
package delivery
