package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

// cluster is where the brokers are and how to be let in: what all clients of
// one source or sink share.
type cluster struct {
	brokers []string
	topic   string
	timeout time.Duration
	sasl    bool
	opts    []kgo.Opt
}

func newCluster(o option.Options) (*cluster, error) {
	c := &cluster{topic: o.Text("topic"), timeout: o.Duration("connect.timeout")}
	for b := range strings.SplitSeq(o.Text("brokers"), ",") {
		if b = strings.TrimSpace(b); b != "" {
			c.brokers = append(c.brokers, b)
		}
	}
	if len(c.brokers) == 0 {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "option \"brokers\" names no broker").At(o.Pos("brokers")).
			WithHint("Write 'host:port', several with commas.")
	}
	if c.topic == "" {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "option \"topic\" is empty").At(o.Pos("topic"))
	}
	c.opts = []kgo.Opt{
		kgo.SeedBrokers(c.brokers...),
		kgo.ClientID(o.Text("client.id")),
		kgo.DialTimeout(min(c.timeout, 10*time.Second)),
		kgo.DisableClientMetrics(),
		// How soon a new partition, a new leader or a topic that is gone is
		// noticed; the client's own 5 s is long beside our latencies.
		kgo.MetadataMinAge(500 * time.Millisecond),
	}
	if err := c.secure(o); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *cluster) secure(o option.Options) error {
	protocol := o.Enum("security.protocol")
	if strings.HasSuffix(protocol, "ssl") {
		cfg, err := tlsConfig(o)
		if err != nil {
			return err
		}
		c.opts = append(c.opts, kgo.DialTLSConfig(cfg))
	}
	mechanism := strings.ToUpper(o.Text("sasl.mechanism"))
	if !strings.HasPrefix(protocol, "sasl") {
		if mechanism != "" {
			return pgerror.New(pgerror.InvalidParameterValue, "option \"sasl.mechanism\" needs security.protocol sasl_plaintext or sasl_ssl").At(o.Pos("sasl.mechanism"))
		}
		return nil
	}
	c.sasl = true
	user, pass := o.Text("sasl.username"), o.Text("sasl.password")
	switch mechanism {
	case "", "PLAIN":
		c.opts = append(c.opts, kgo.SASL(plain.Auth{User: user, Pass: pass}.AsMechanism()))
	case "SCRAM-SHA-256":
		c.opts = append(c.opts, kgo.SASL(scram.Auth{User: user, Pass: pass}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		c.opts = append(c.opts, kgo.SASL(scram.Auth{User: user, Pass: pass}.AsSha512Mechanism()))
	case "OAUTHBEARER":
		c.opts = append(c.opts, kgo.SASL(oauth.Auth{Token: o.Text("sasl.oauth.token")}.AsMechanism()))
		return nil
	}
	if user == "" {
		return pgerror.New(pgerror.InvalidParameterValue, "option \"sasl.username\" is required with security.protocol %s", protocol).At(o.Pos("security.protocol"))
	}
	return nil
}

func tlsConfig(o option.Options) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	read := func(name string) ([]byte, error) {
		b, err := os.ReadFile(o.Text(name))
		if err != nil {
			return nil, pgerror.New(pgerror.UndefinedFile, "could not read %s: %v", name, err).At(o.Pos(name)).WithCause(err)
		}
		return b, nil
	}
	if o.Has("ssl.ca.location") {
		pem, err := read("ssl.ca.location")
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "%q holds no PEM certificate", o.Text("ssl.ca.location")).At(o.Pos("ssl.ca.location"))
		}
	}
	if o.Has("ssl.certificate.location") || o.Has("ssl.key.location") {
		cert, err := read("ssl.certificate.location")
		if err != nil {
			return nil, err
		}
		key, err := read("ssl.key.location")
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "the client certificate and key do not fit: %v", err).At(o.Pos("ssl.certificate.location")).WithCause(err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	if o.Enum("ssl.endpoint.identification.algorithm") == "none" {
		// The chain is still verified where authorities were given; only the
		// host name is not. Go has no switch for that alone.
		cfg.InsecureSkipVerify = true
		if cfg.RootCAs != nil {
			roots := cfg.RootCAs
			cfg.VerifyConnection = func(s tls.ConnectionState) error {
				v := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
				for _, cert := range s.PeerCertificates[1:] {
					v.Intermediates.AddCert(cert)
				}
				_, err := s.PeerCertificates[0].Verify(v)
				return err
			}
		}
	}
	return cfg, nil
}

// watch is a client's hook that remembers whether the brokers are in reach.
type watch struct {
	mu  sync.Mutex
	err error
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (w *watch) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	w.mu.Lock()
	w.err = err
	w.mu.Unlock()
}

func (w *watch) last() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// client makes a client and the watch over it.
func (c *cluster) client(more ...kgo.Opt) (*kgo.Client, *watch, error) {
	w := &watch{}
	opts := append(append([]kgo.Opt{kgo.WithHooks(w)}, c.opts...), more...)
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, nil, pgerror.New(pgerror.InvalidParameterValue, "kafka: %v", err).WithCause(err)
	}
	return cl, w, nil
}

// admin runs fn with a short-lived administrative client. fn must be done
// within the connect timeout.
func (c *cluster) admin(ctx context.Context, fn func(context.Context, *kadm.Client) error) error {
	cl, w, err := c.client(kgo.RetryTimeout(c.timeout), kgo.RequestRetries(5))
	if err != nil {
		return err
	}
	defer cl.Close()
	return c.bounded(ctx, w, func(ctx context.Context) error { return fn(ctx, kadm.NewClient(cl)) })
}

// bounded runs fn within the connect timeout and translates its error.
func (c *cluster) bounded(ctx context.Context, w *watch, fn func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err := fn(limited)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return c.translate(err, w)
}

// translate makes the error that a user reads.
func (c *cluster) translate(err error, w *watch) error {
	if mine, ok := errors.AsType[*pgerror.Error](err); ok {
		return mine
	}
	// A client that retries reports the deadline; the reason is what the last
	// attempt to connect met.
	if last := w.last(); last != nil && !errors.Is(last, context.Canceled) {
		if _, ok := errors.AsType[*kerr.Error](err); !ok {
			err = last
		}
	}
	where := strings.Join(c.brokers, ", ")
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
		return pgerror.New(pgerror.UndefinedObject, "topic %q does not exist at %s", c.topic, where).
			WithHint("Create the topic, or correct the option \"topic\".").WithCause(err)
	case errors.Is(err, kerr.InvalidTopicException):
		return pgerror.New(pgerror.InvalidName, "%q is no valid topic name", c.topic).WithCause(err)
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed),
		errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return pgerror.New(pgerror.InsufficientPrivilege, "Kafka at %s refuses access to topic %q: %v", where, c.topic, err).
			WithHint("Grant the user of the option \"sasl.username\" the rights it needs.").WithCause(err)
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.IllegalSaslState), errors.Is(err, kerr.UnsupportedSaslMechanism):
		return pgerror.New(pgerror.InvalidAuthorization, "Kafka at %s refuses the log-in: %v", where, err).
			WithHint("Check the options sasl.mechanism, sasl.username and sasl.password.").WithCause(err)
	case errors.Is(err, kerr.ProducerFenced), errors.Is(err, kerr.InvalidProducerEpoch):
		return pgerror.New(pgerror.ObjectInUse, "another writer of this job has taken over topic %q", c.topic).WithCause(err)
	}
	if k, ok := errors.AsType[*kerr.Error](err); ok && !k.Retriable {
		return pgerror.New(pgerror.ConnectionFailure, "Kafka at %s: %v", where, err).WithCause(err)
	}
	detail, hint := err.Error(), "Check the option \"brokers\", that the brokers run, and security.protocol. connect.timeout sets how long to try."
	if c.sasl && errors.Is(err, io.EOF) {
		// Some brokers just hang up on a wrong password. It may also be a
		// broker going down, so this is no reason to give up for good.
		detail, hint = "it closed the connection during log-in", "Check the options sasl.mechanism, sasl.username, sasl.password and security.protocol."
	}
	if errors.Is(err, context.DeadlineExceeded) {
		detail = "no answer within " + c.timeout.String()
	}
	return pgerror.New(pgerror.ConnectionFailure, "could not reach Kafka at %s: %s", where, detail).
		WithHint("%s", hint).WithCause(err)
}
