package setup

import (
	"fmt"
	"io"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"kontur-ari/configs"
)

// Logger returns the logger as configured. "auto" is journald where systemd
// reads our standard error, console for a terminal, else json. An error is an
// [*UnusableError].
func Logger(cfg configs.Log, out io.Writer) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(cfg.Level)
	if err != nil {
		return nil, &UnusableError{fmt.Errorf("log.level: %w", err)}
	}
	format := cfg.Format
	if format == "auto" {
		format = detectFormat(out)
	}
	settings := zap.NewProductionEncoderConfig()
	settings.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	settings.EncodeDuration = zapcore.StringDurationEncoder
	var encoder zapcore.Encoder
	switch format {
	case "console":
		settings.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		settings.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(settings)
	case "journald":
		// journald knows the time; it reads the priority from the line's start
		// (sd-daemon(3), SyslogLevelPrefix) and takes it off.
		settings.TimeKey = zapcore.OmitKey
		settings.EncodeLevel = encodePriority
		settings.ConsoleSeparator = " "
		encoder = zapcore.NewConsoleEncoder(settings)
	default:
		encoder = zapcore.NewJSONEncoder(settings)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(out)), level)), nil
}

func detectFormat(out io.Writer) string {
	file, ok := out.(*os.File)
	switch {
	case os.Getenv("JOURNAL_STREAM") != "":
		return "journald"
	case ok && term.IsTerminal(int(file.Fd())):
		return "console"
	}
	return "json"
}

func encodePriority(level zapcore.Level, to zapcore.PrimitiveArrayEncoder) {
	switch level {
	case zapcore.DebugLevel:
		to.AppendString("<7>")
	case zapcore.InfoLevel:
		to.AppendString("<6>")
	case zapcore.WarnLevel:
		to.AppendString("<4>")
	default:
		to.AppendString("<3>")
	}
}
