package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// writePair writes a new key pair for loopback into the two files.
func writePair(t *testing.T, certFile, keyFile, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// write replaces a file as those who renew certificates do, with a time of its own.
func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path+".new", time.Time{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestACertificateIsReadAgainWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
		writePair(t, certFile, keyFile, "first")
		core, logs := observer.New(zap.InfoLevel)
		c, err := loadCertificate(certFile, keyFile, zap.New(core))
		if err != nil {
			t.Fatal(err)
		}
		expect := func(name string, lines int) {
			t.Helper()
			time.Sleep(lookEvery)
			pair, err := c.get(nil)
			if err != nil || pair.Leaf.Subject.CommonName != name || logs.Len() != lines {
				t.Errorf("the certificate is %v (%v), want %s; %d lines in the log, want %d", pair.Leaf.Subject, err, name, logs.Len(), lines)
			}
		}
		expect("first", 0)
		kept, err := os.ReadFile(keyFile)
		if err != nil {
			t.Fatal(err)
		}
		writePair(t, certFile, keyFile, "second")
		renewed, err := os.ReadFile(keyFile)
		if err != nil {
			t.Fatal(err)
		}
		write(t, keyFile, kept) // only the certificate was replaced yet
		expect("first", 1)
		expect("first", 1)
		write(t, certFile, []byte("no certificate"))
		expect("first", 2)
		if err := os.Remove(certFile); err != nil {
			t.Fatal(err)
		}
		expect("first", 3)
		write(t, keyFile, renewed)
		writePair(t, certFile, keyFile, "third")
		expect("third", 4)
		expect("third", 4)
	})
}

func TestAMissingCertificateIsAnErrorOfTheStart(t *testing.T) {
	config := Config{Listen: "127.0.0.1:0", Workspace: "w", TLSCert: "/nowhere/cert.pem", TLSKey: "/nowhere/key.pem"}
	if _, err := New(config, nil, nil, Hooks{}, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "server.tls_cert") {
		t.Errorf("error %v, want one that names server.tls_cert", err)
	}
}

func TestCommandsAreTakenOverTLSOnly(t *testing.T) {
	certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	pool := x509.NewCertPool()
	pool.AddCert(writePair(t, certFile, keyFile, "pbx.example.org"))
	config := Config{Listen: "127.0.0.1:0", Workspace: "w", TLSCert: certFile, TLSKey: keyFile}
	s, err := New(config, nil, nil, Hooks{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- s.Run() }()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "pbx.example.org"}}
	client := &http.Client{Transport: transport}
	for scheme, want := range map[string]int{"https": http.StatusUnauthorized, "http": http.StatusBadRequest} {
		request, err := http.NewRequest(http.MethodPost, scheme+"://"+s.Address().String()+"/api/v1/w/communications/call", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(headerEcho, "echo")
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want || scheme == "https" && response.Header.Get(headerEcho) != "echo" {
			t.Errorf("%s: %d, headers %v", scheme, response.StatusCode, response.Header)
		}
	}
	transport.CloseIdleConnections()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ran; err != nil {
		t.Error(err)
	}
}
