package setup

import (
	"go.uber.org/zap"

	"kontur-ari/configs"
	"kontur-ari/crm"
)

// Client returns a client of the CRM, which names the program's version in each request.
// It must be closed. An error is an [*UnusableError].
func Client(cfg configs.Config, version string, log *zap.Logger) (*crm.Client, error) {
	prefix := ""
	if cfg.Kontur.SharedWorkspace {
		prefix = cfg.Node
	}
	client, err := crm.New(crm.Config{
		BaseURL:           cfg.Kontur.BaseURL,
		Workspace:         cfg.Kontur.Workspace,
		APIKey:            cfg.Kontur.APIKey,
		IntegrationSecret: cfg.Kontur.IntegrationSecret,
		IntegrationID:     cfg.Kontur.IntegrationID,
		NodePrefix:        prefix,
		RequestTimeout:    cfg.Kontur.RequestTimeout,
		UserAgent:         "kontur-ari/" + version,
	}, log.Named("crm"))
	if err != nil {
		return nil, &UnusableError{err}
	}
	return client, nil
}
