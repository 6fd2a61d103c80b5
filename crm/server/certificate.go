package server

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
)

// lookEvery is how often the files of a certificate are looked at, while clients
// connect.
const lookEvery = 10 * time.Second

// certificate is a key pair in files that is read again when they change. It may be
// used concurrently.
type certificate struct {
	cert, key string
	log       *zap.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	of     [2]stamp // the files that pair was read from
	looked time.Time
	// failing is why the changed files can't be read; "" when they can.
	failing string
}

// stamp distinguishes one version of a file from the next.
type stamp struct {
	size    int64
	changed time.Time
}

// loadCertificate reads a key pair; the error names the keys of the configuration.
func loadCertificate(cert, key string, log *zap.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log, looked: time.Now()}
	var err error
	if c.of, err = c.stamps(); err == nil {
		c.pair, err = c.read()
	}
	if err != nil {
		return nil, fmt.Errorf("server.tls_cert, server.tls_key: %w", err)
	}
	return c, nil
}

func (c *certificate) stamps() ([2]stamp, error) {
	var stamps [2]stamp
	for i, path := range []string{c.cert, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return stamps, err
		}
		stamps[i] = stamp{info.Size(), info.ModTime()}
	}
	return stamps, nil
}

func (c *certificate) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}

// get is for tls.Config.GetCertificate. It never fails: while the files can't be
// read, or don't belong together since only one was replaced yet, the pair that was
// read last goes on being used.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		c.renew()
	}
	return c.pair, nil
}

func (c *certificate) renew() {
	stamps, err := c.stamps()
	if err == nil && stamps == c.of {
		c.failing = ""
		return
	}
	var pair *tls.Certificate
	if err == nil {
		pair, err = c.read()
	}
	if err != nil {
		if c.failing != err.Error() {
			c.failing = err.Error()
			c.log.Error("the changed certificate can't be used; the old one goes on", zap.Error(err))
		}
		return
	}
	c.pair, c.of, c.failing = pair, stamps, ""
	c.log.Info("certificate read again")
}
