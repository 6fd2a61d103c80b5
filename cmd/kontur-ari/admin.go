package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// healthTimeout bounds what /healthz waits for the store.
const healthTimeout = 3 * time.Second

// admin serves health and readiness.
type admin struct {
	// healthy says whether the process and its store work.
	healthy func(context.Context) error
	// missing names what keeps events from flowing; empty when they flow.
	missing func() []string
	// details are shown beside, for the person who looks.
	details func() map[string]any
}

func (a *admin) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
		defer cancel()
		if err := a.healthy(ctx); err != nil {
			answer(w, http.StatusServiceUnavailable, map[string]any{"status": "failing", "reason": err.Error()})
			return
		}
		answer(w, http.StatusOK, map[string]any{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		body := a.details()
		status := http.StatusOK
		body["status"] = "ready"
		if missing := a.missing(); len(missing) > 0 {
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

// serveAdmin listens and serves until the returned stop is called, which waits
// for requests under way until its ctx ends.
func serveAdmin(address string, a *admin, log *zap.Logger) (stop func(context.Context) error, err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin.listen: %w", err)
	}
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          zap.NewStdLog(log),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("health is served", zap.String("address", listener.Addr().String()))
	return func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if failure := <-served; failure != http.ErrServerClosed {
			return fmt.Errorf("serving health: %w", failure)
		}
		return err
	}, nil
}
