package delivery

import (
	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// logResult logs how a request ended.
func (d *Dispatcher) logResult(sent *bridge.Sent) {
	report, result := &sent.Pending.Report, &sent.Result
	fields := []zap.Field{
		zap.String("call", string(report.Call)),
		zap.String("request", string(report.Kind)),
		zap.Int("attempt", sent.Pending.Attempts+1),
		zap.Int("status", result.Status),
	}
	if report.Kind == bridge.ReportEvent {
		fields = append(fields, zap.String("leg", string(report.Leg)), zap.String("event", string(report.Event)))
	}
	switch result.Verdict {
	case bridge.Delivered:
		d.crmTrouble.Over(string(report.Call))
		d.log.Info("delivered", fields...)
	case bridge.Refused:
		d.crmTrouble.Over(string(report.Call))
		d.log.Error("refused by the CRM for good; kept as a dead letter",
			append(fields, zap.Int64("report", sent.Pending.ID), zap.String("reason", result.Reason))...)
	case bridge.Retry:
		d.crmTrouble.Failed(string(report.Call), result.Reason, fields...)
	case bridge.Expired:
		d.log.Warn("the CRM could not be told of a recording within a day of its upload; it is uploaded again", fields...)
	}
}
