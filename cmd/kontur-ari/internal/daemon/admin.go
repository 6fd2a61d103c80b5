package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"kontur-ari/internal/oncelog"
	"kontur-ari/internal/retry"
)

// healthTimeout bounds how long /healthz waits for the store.
const healthTimeout = 3 * time.Second

// listenAgain are the pauses before the port of health is opened again.
var listenAgain = retry.Pauses{First: 100 * time.Millisecond, Longest: 10 * time.Second}

// probes answer what the health endpoints ask.
type probes struct {
	// healthy returns nil while the process and its store work.
	healthy func(context.Context) error
	// missing names what keeps events from flowing; empty when they flow.
	missing func() []string
	// details are for the person who looks.
	details func() map[string]any
}

func (p probes) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
		defer cancel()
		if err := p.healthy(ctx); err != nil {
			answer(w, http.StatusServiceUnavailable, map[string]any{"status": "failing", "reason": err.Error()})
			return
		}
		answer(w, http.StatusOK, map[string]any{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		body := p.details()
		status := http.StatusOK
		body["status"] = "ready"
		if missing := p.missing(); len(missing) > 0 {
			status = http.StatusServiceUnavailable
			body["status"], body["missing"] = "not ready", missing
		}
		answer(w, status, body)
	})
	return mux
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// A client that has gone away needs no answer.
	_ = json.NewEncoder(w).Encode(body)
}

// admin serves the health endpoints.
type admin struct {
	server *http.Server
	// listener is the one of the start.
	listener net.Listener
	log      *zap.Logger
}

// listenAdmin opens the port, so that one that is taken is an error of the start.
func listenAdmin(address string, p probes, log *zap.Logger) (*admin, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin.listen: %w", err)
	}
	return &admin{
		listener: listener,
		log:      log,
		server: &http.Server{
			Handler:           p.handler(),
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      10 * time.Second,
			IdleTimeout:       time.Minute,
			MaxHeaderBytes:    16 << 10,
			ErrorLog:          zap.NewStdLog(log),
		},
	}, nil
}

// run serves until shutdown is called or ctx ends. If the listener fails, run logs an
// error and opens the port again. The daemon does not end for that: calls are reported
// without health, and who watches the port sees that it is closed.
func (a *admin) run(ctx context.Context) error {
	listener, address := a.listener, zap.Stringer("address", a.listener.Addr())
	a.log.Info("health is served", address)
	trouble := oncelog.New(a.log, zapcore.ErrorLevel, "health is not served; the port is opened again", "health is served again")
	for pauses := retry.New(listenAgain); ; {
		began := time.Now()
		err := a.server.Serve(listener)
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		if time.Since(began) > listenAgain.Longest {
			pauses.Reset()
		}
		for err != nil {
			trouble.Failed("", oncelog.Cause(err), address, zap.Error(err))
			if retry.Sleep(ctx, pauses.Next()) != nil {
				return nil
			}
			listener, err = net.Listen("tcp", a.listener.Addr().String())
		}
		trouble.Over("")
	}
}

// shutdown ends run, closes the port and waits for requests under way until ctx ends.
func (a *admin) shutdown(ctx context.Context) error {
	err := a.server.Shutdown(ctx)
	// Before run the listener is not the server's yet.
	if closing := a.listener.Close(); closing != nil && !errors.Is(closing, net.ErrClosed) {
		err = errors.Join(err, closing)
	}
	if err != nil {
		return fmt.Errorf("serving health: %w", err)
	}
	return nil
}
