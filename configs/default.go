package configs

import "time"

// Default returns the configuration of an empty file. It is not complete: Node
// is filled in by [Load], and asterisk.username, asterisk.password,
// kontur.workspace and kontur.api_key have no default.
func Default() Config {
	return Config{
		ShutdownTimeout: 10 * time.Second,
		Asterisk: Asterisk{
			URL:         "http://127.0.0.1:8088/ari",
			Application: "kontur-ari",
		},
		Kontur: Kontur{
			BaseURL:        "https://crm.kontur.ru",
			RequestTimeout: 15 * time.Second,
			Connections:    16,
		},
		Server: Server{Listen: "127.0.0.1:8090"},
		Admin:  Admin{Listen: "127.0.0.1:8091"},
		Calls: Calls{
			Region:           "RU",
			ReportInternal:   true,
			InternalNumbers:  MustPattern(`^\d{2,5}$`),
			HiddenNumber:     "anonymous",
			OriginateContext: "from-internal",
			OriginateTimeout: 30 * time.Second,
			AllowedNumbers:   []Pattern{MustPattern(`^7\d{10}$`)},
			CallsPerMinute:   30,
			CallsAtOnce:      2,
		},
		Redirect: Redirect{Timeout: 1500 * time.Millisecond},
		Delivery: Delivery{
			FirstPause:    500 * time.Millisecond,
			LongestPause:  30 * time.Second,
			CollapseAfter: 10 * time.Second,
		},
		Recordings: Recordings{
			Enabled:            true,
			Directory:          "/var/spool/asterisk/monitor",
			VoicemailDirectory: "/var/spool/asterisk/voicemail",
			Names:              []string{"{year}/{month}/{day}/*-{uniqueid}.*"},
			Format:             "keep",
			SettleTime:         2 * time.Second,
			MissingAfter:       2 * time.Minute,
			Uploads:            2,
			Keep:               keepForever,
		},
		Storage: Storage{
			Directory:      "/var/lib/kontur-ari",
			JournalKeep:    7 * 24 * time.Hour,
			JournalMaxSize: 1 << 30,
			MemoryMaxSize:  64 << 20,
		},
		Log: Log{Level: "info", Format: "auto"},
	}
}
