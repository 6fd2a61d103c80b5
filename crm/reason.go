package crm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"unicode"
)

// statusReason is the status of an answer and what its body says about it.
func statusReason(a answer) string {
	reason := fmt.Sprintf("HTTP %d", a.status)
	p := decodeProblem(a.body)
	if p.name == "" && p.message == "" {
		if text := http.StatusText(a.status); text != "" {
			reason += " " + text
		}
		return reason
	}
	for _, part := range []string{p.name, p.message} {
		if part = masked(part); part != "" {
			reason += ": " + part
		}
	}
	return reason
}

// word is what may be an id, a phone number, a moment: no spaces, no quotes.
var word = regexp.MustCompile(`[\pL\pN._:/+-]+`)

// reasonKept is how many characters of a text that the CRM sent go into a reason.
const reasonKept = 300

// masked is a text of the CRM's as it may be logged: one line, not too long, and
// without ids and phone numbers: they differ from try to try, and a log is no place for
// them. A word with four digits is taken for one.
func masked(text string) string {
	text = word.ReplaceAllStringFunc(text, func(w string) string {
		digits := 0
		for _, r := range w {
			if unicode.IsDigit(r) {
				digits++
			}
		}
		if digits >= 4 {
			return "…"
		}
		return w
	})
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if runes := []rune(text); len(runes) > reasonKept {
		return string(runes[:reasonKept]) + "…"
	}
	return text
}

// transportReason says why no answer came. The errors' own texts hold local
// ports and moments, so most are said in our words.
func transportReason(err error) string {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	network, isNetwork := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		return "no answer: the request was given up"
	case isDNS:
		return fmt.Sprintf("no answer: the name %s can't be resolved", dns.Name)
	case certificateReason(err) != "":
		return "no answer: " + certificateReason(err)
	case errors.Is(err, context.DeadlineExceeded), isNetwork && network.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "no answer: the connection was refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "no answer: the connection was closed"
	}
	return "no answer: " + masked(innermost(err).Error())
}

// certificateReason says what is wrong with the CRM's certificate; "" when that
// is not what the error is about.
func certificateReason(err error) string {
	_, unknownAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	_, otherName := errors.AsType[x509.HostnameError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case unknownAuthority:
		return "the CRM's certificate is from an unknown authority"
	case otherName:
		return "the CRM's certificate is for another name"
	case isInvalid && invalid.Reason == x509.Expired:
		return "the CRM's certificate has expired (or the clock is wrong)"
	case isInvalid, unverified:
		return "the CRM's certificate is not valid"
	}
	return ""
}

// innermost is the error that all the others wrap: outer ones name addresses.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
