package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// Server takes the commands of one workspace. Stats may be called at any time;
// Run once, and Shutdown once, also without Run.
type Server struct {
	config    Config
	commander bridge.Commander
	hooks     Hooks
	log       *zap.Logger

	gate    allowedPeers
	router  router
	keys    *keyring
	stats   *counters
	notices *notices

	listener net.Listener
	http     *http.Server
	open     atomic.Int64
	// life ends commands and questions that a Shutdown can't wait for.
	life context.Context
	end  context.CancelFunc

	mu       sync.Mutex
	left     bool
	handlers sync.WaitGroup
}

// New listens at once, so that an address that is taken is an error of the start;
// it names the key of the configuration. Nothing is answered before [Server.Run].
// The server must be shut down.
func New(config Config, checker KeyChecker, commander bridge.Commander, hooks Hooks, logger *zap.Logger) (*Server, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	s, err := assemble(config, checker, commander, hooks, logger)
	if err != nil {
		return nil, err
	}
	if err := s.acquire(); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// assemble makes a server that has nothing to be given back but its life.
func assemble(config Config, checker KeyChecker, commander bridge.Commander, hooks Hooks, logger *zap.Logger) (*Server, error) {
	s := &Server{
		config: config, commander: commander, hooks: hooks, log: logger,
		gate:   allowedPeers{config.AllowedNetworks, config.TrustedProxies},
		router: router{config.BasePath, config.Workspace},
		stats:  newCounters(),
	}
	s.notices = newNotices(logger, s.stats)
	s.life, s.end = context.WithCancel(context.Background())
	var err error
	if s.keys, err = newKeyring(s.life, checker, config.Limits, s.stats); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// acquire gets what is outside of the process: the certificate and the port.
func (s *Server) acquire() error {
	s.http = s.newHTTP()
	if s.config.TLSCert != "" {
		pair, err := loadCertificate(s.config.TLSCert, s.config.TLSKey, s.log)
		if err != nil {
			return err
		}
		s.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}
	}
	var err error
	if s.listener, err = net.Listen("tcp", s.config.Listen); err != nil {
		return fmt.Errorf("server.listen: %w", err)
	}
	return nil
}

func (s *Server) newHTTP() *http.Server {
	limits := s.config.Limits
	protocols := new(http.Protocols)
	// HTTP/2 would let one connection carry any number of requests, and has had the
	// worse faults; the CRM's few commands gain nothing by it.
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           s,
		Protocols:         protocols,
		ReadHeaderTimeout: limits.HeaderTime,
		ReadTimeout:       limits.ReadTime,
		// From the end of the header until the answer is out.
		WriteTimeout:                 limits.ReadTime + limits.CheckTime + limits.CommandTime + slack,
		IdleTimeout:                  limits.IdleTime,
		MaxHeaderBytes:               limits.HeaderBytes,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(s.notices, "", 0),
		ConnState:                    s.count,
	}
}

// count keeps the number of open connections within its limit.
func (s *Server) count(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if s.open.Add(1) > int64(s.config.Limits.Connections) {
			s.notices.note(RejectedConnection, zap.Stringer("peer", conn.RemoteAddr()))
			_ = conn.Close() // net/http notices, and counts it as closed
		}
	case http.StateClosed:
		s.open.Add(-1)
	}
}

// Address is where the server listens: with the port that was taken for port 0.
func (s *Server) Address() net.Addr { return s.listener.Addr() }

// Stats returns what was counted since the start.
func (s *Server) Stats() Stats { return s.stats.snapshot() }

// Run answers requests until Shutdown is called, and then returns nil. Any other
// end is an error.
func (s *Server) Run() error {
	s.log.Info("commands are taken", zap.Stringer("address", s.listener.Addr()), zap.Bool("tls", s.http.TLSConfig != nil))
	serve := s.http.Serve
	if s.http.TLSConfig != nil {
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	if err := serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving commands: %w", err)
	}
	return nil
}

// Shutdown takes no more commands, waits for those under way until ctx ends, and
// then breaks them off. When it returns nothing of the server runs any more; its
// error is that something was broken off.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	// Without Run no server has closed the listener.
	if closing := s.listener.Close(); closing != nil && !errors.Is(closing, net.ErrClosed) {
		err = errors.Join(err, closing)
	}
	s.end()
	err = errors.Join(err, s.http.Close())
	s.leave()
	s.handlers.Wait()
	s.keys.close()
	s.notices.flush()
	if err != nil {
		return fmt.Errorf("stopping to take commands: %w", err)
	}
	return nil
}

// enter reports whether a request may still be answered; then handlers.Done is to
// be called after it.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.left {
		s.handlers.Add(1)
	}
	return !s.left
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
}
