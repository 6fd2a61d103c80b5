package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"kontur-ari/e2e/phone"
)

// Options configure a lab. The zero value is the harder way: ARI shows no linkedids.
type Options struct {
	// ChannelVars is ari.conf's channelvars, [RecommendedVariables] for one.
	ChannelVars string
}

// RecommendedVariables are those that the documentation asks Asterisk to show.
const RecommendedVariables = "CHANNEL(linkedid),MIXMONITOR_FILENAME,CDR(recordingfile),RECORDED_FILE,VM_MESSAGEFILE"

// Lab is a running Asterisk, its employees' phones and the far sides of its
// trunks.
type Lab struct {
	// Options are those of its Start.
	Options Options
	// URL, Username and Password are ARI's.
	URL, Username, Password string
	// SIP is where Asterisk speaks SIP: host:port.
	SIP string
	// Trunk and Trunk2 are the far sides of the trunks: what the dialplan dials
	// arrives there, and calls from outside begin there. Trunk2 is dialled only
	// where Trunk fails.
	Trunk, Trunk2 *phone.Phone

	phones   map[string]*phone.Phone
	silent   net.PacketConn
	asterisk *asterisk
	settings settings
}

// Extensions returns the employees with a phone. 104 is in no CRM. 107 has two
// telephones, the other is [SecondDevice]. 105 and 106 are employees too, but without a
// phone: 105's address is registered and does not answer, 106 never registered.
func Extensions() []string { return []string{"101", "102", "103", "104", "107"} }

// SecondDevice is the name in the lab of 107's other telephone.
const SecondDevice = "107-second"

// startTimeout is how long a start may take on a machine that is very busy.
const startTimeout = time.Minute

// Start starts Asterisk and its phones, and returns when calls can be made. The
// context is for the start only; the lab runs until Close.
func Start(ctx context.Context, options Options) (*Lab, error) {
	if err := Require(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not done in %s", startTimeout))
	defer cancel()
	// Another program may take a port between its choice and Asterisk's start.
	for attempt := 1; ; attempt++ {
		l, err := start(ctx, options)
		if err == nil || attempt == 5 || !errors.Is(err, errPortTaken) {
			return l, err
		}
	}
}

func start(ctx context.Context, options Options) (l *Lab, err error) {
	l = &Lab{Options: options, Username: "kontur", Password: rand.Text(), phones: make(map[string]*phone.Phone)}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
			l = nil
		}
	}()
	if err := l.plugIn(); err != nil {
		return l, err
	}
	if err := l.configure(options); err != nil {
		return l, err
	}
	if err := l.asterisk.start(ctx); err != nil {
		return l, err
	}
	return l, l.register(ctx)
}

// plugIn makes the phones. They come before Asterisk, whose configuration needs the
// addresses of the trunks.
func (l *Lab) plugIn() error {
	password := rand.Text()
	for _, config := range []struct{ name, user, host string }{
		{"trunk", "trunk", "127.0.0.2"}, {"trunk2", "trunk2", "127.0.0.3"},
		{"101", "101", ""}, {"102", "102", ""}, {"103", "103", ""}, {"104", "104", ""},
		{"107", "107", ""}, {SecondDevice, "107", ""},
	} {
		p, err := phone.New(phone.Config{User: config.user, Host: config.host, Password: password})
		if err != nil {
			return err
		}
		l.phones[config.name] = p
	}
	l.Trunk, l.Trunk2 = l.phones["trunk"], l.phones["trunk2"]
	l.settings.PhonePassword = password
	var err error
	if l.silent, err = net.ListenPacket("udp4", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("open the port that never answers: %w", err)
	}
	return nil
}

// configure makes the instance's directory and writes its configuration.
func (l *Lab) configure(options Options) error {
	inside, err := modules()
	if err != nil {
		return err
	}
	free, err := freePorts()
	if err != nil {
		return err
	}
	home, err := newInstance()
	if err != nil {
		return err
	}
	l.URL = fmt.Sprintf("http://127.0.0.1:%d/ari", free.http)
	l.SIP = fmt.Sprintf("127.0.0.1:%d", free.sip)
	l.asterisk = &asterisk{instance: home, ports: free, ari: &rest{l.URL, l.Username, l.Password}}
	l.settings.Dir, l.settings.Modules = home.inside, inside
	l.settings.SIPPort, l.settings.HTTPPort = free.sip, free.http
	l.settings.SilentPort = l.silent.LocalAddr().(*net.UDPAddr).Port
	l.settings.Username, l.settings.Password = l.Username, l.Password
	l.settings.ChannelVars = options.ChannelVars
	l.settings.Phones = Extensions()
	for _, trunk := range []*phone.Phone{l.Trunk, l.Trunk2} {
		host, _, err := net.SplitHostPort(trunk.Address())
		if err != nil {
			return fmt.Errorf("address of %s: %w", trunk.User(), err)
		}
		l.settings.Trunks = append(l.settings.Trunks, trunkSettings{trunk.User(), trunk.Address(), host})
	}
	for _, p := range l.phones {
		p.Serve(l.SIP)
	}
	return writeConf(home.outside+"/etc", l.settings)
}

func (l *Lab) register(ctx context.Context) error {
	for _, name := range append(Extensions(), SecondDevice) {
		if err := l.phones[name].Register(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Phone is an employee's phone: one of [Extensions], or [SecondDevice].
func (l *Lab) Phone(extension string) *phone.Phone { return l.phones[extension] }

// Close ends everything the lab has started and removes its files.
func (l *Lab) Close() error {
	var errs []error
	for _, p := range l.phones {
		p.Close()
	}
	if l.silent != nil {
		errs = append(errs, l.silent.Close())
	}
	if l.asterisk != nil {
		if l.asterisk.process != nil {
			errs = append(errs, l.asterisk.process.kill())
		}
		errs = append(errs, l.asterisk.instance.remove())
	}
	return errors.Join(errs...)
}

// Kill ends Asterisk as a crash or a power cut would: SIGKILL.
func (l *Lab) Kill() error { return l.asterisk.process.kill() }

// Running returns whether Asterisk's process is running: it may have crashed.
func (l *Lab) Running() bool { return l.asterisk.process.running() }

// Freeze stops Asterisk's process until Thaw, so that it answers nothing.
func (l *Lab) Freeze() error { return l.asterisk.process.send(syscall.SIGSTOP) }

// Thaw lets a frozen Asterisk run on.
func (l *Lab) Thaw() error { return l.asterisk.process.send(syscall.SIGCONT) }

// Restart kills Asterisk if it runs, starts it and registers the phones again.
func (l *Lab) Restart(ctx context.Context) error {
	if err := l.asterisk.process.kill(); err != nil {
		return err
	}
	if err := l.asterisk.forgetLog(); err != nil {
		return err
	}
	if err := l.asterisk.start(ctx); err != nil {
		return err
	}
	return l.register(ctx)
}

// LogFile is where Asterisk writes its log. It is gone after Close.
func (l *Lab) LogFile() string { return l.asterisk.instance.outside + "/log/full" }

// Spool returns the path of a directory that Asterisk writes to, such as "monitor": the
// path on the host, and the path that Asterisk sees.
func (l *Lab) Spool(name string) (here, inAsterisk string) {
	return l.asterisk.instance.outside + "/spool/" + name, l.asterisk.instance.inside + "/spool/" + name
}

// Report returns what helps to understand a failure: the end of Asterisk's log, and the
// SIP messages of the named phones.
func (l *Lab) Report(users ...string) string {
	var report strings.Builder
	fmt.Fprintf(&report, "---- Asterisk's log, at the end\n%s\n", l.asterisk.lastLog(60))
	for name, p := range l.phones {
		if trace := p.Trace(); trace != "" && slices.Contains(users, name) {
			fmt.Fprintf(&report, "---- phone %s\n%s\n", name, trace)
		}
	}
	return report.String()
}

// AsteriskLog returns all that Asterisk has logged since its last start.
func (l *Lab) AsteriskLog() string { return l.asterisk.log() }
