package kafka

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"velostream/engine/connector"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

// sink implements connector.Sink and Checker.
//
// Exactly once is one Kafka transaction per Commit. The position goes into it
// as the offset of a consumer group named after the job (on partition 0 of the
// topic), so it becomes readable with the records or not at all:
//
//	Open       InitProducerId   shuts out an older writer, aborts what it left
//	Position   OffsetFetch      the group's offset, once nothing is pending
//	Write      Produce …        in a transaction begun by the first record
//	Commit     AddOffsetsToTxn, TxnOffsetCommit, EndTxn
//
// The client is held at Kafka 3.8's protocol, whose transactions every newer
// broker still has: with the later one, which versions of these requests go
// together depends on a feature of the cluster that may change while running.
type sink struct {
	*cluster
	id         string // transactional id and group; "": at least once
	partitions int32
	replicas   int16
	deliver    time.Duration // longest time that Commit waits for the brokers
	opts       []kgo.Opt
}

func newSink(o option.Options, job string) (*sink, error) {
	c, err := newCluster(o)
	if err != nil {
		return nil, err
	}
	s := &sink{cluster: c, partitions: int32(o.Int("partitions")), replicas: int16(o.Int("replication.factor"))}
	// Not kgo.RecordDeliveryTimeout, which counts from a record's timestamp:
	// that is the row's event time, as old as it may be.
	s.deliver = max(c.timeout, o.Duration("transaction.timeout"))
	s.opts = []kgo.Opt{
		kgo.DefaultProduceTopic(c.topic),
		kgo.ProducerLinger(o.Duration("linger")),
		kgo.ProducerBatchMaxBytes(clamp32(o.Size("batch.size"))),
		kgo.MaxBufferedBytes(64 << 20),
	}
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	s.opts = append(s.opts, kgo.ProducerBatchCompression(codecs[o.Enum("compression")], kgo.NoCompression()))
	acks := o.Enum("acks")
	if o.Enum("delivery") == "exactly_once" {
		if acks != "all" && acks != "-1" {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "acks = '%s' does not go with delivery = 'exactly_once'", acks).At(o.Pos("acks")).
				WithHint("Leave acks at 'all', or set delivery = 'at_least_once'.")
		}
		s.id = o.Text("transactional.id")
		if s.id == "" {
			s.id = "velostream-" + job
		}
		s.opts = append(s.opts, kgo.TransactionalID(s.id), kgo.TransactionTimeout(o.Duration("transaction.timeout")), kgo.MaxVersions(kversion.V3_8_0()))
		return s, nil
	}
	switch acks {
	case "1":
		s.opts = append(s.opts, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	case "0":
		s.opts = append(s.opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	}
	return s, nil
}

// Check implements connector.Checker. It makes the topic when it is missing
// and the options say with how many partitions.
func (s *sink) Check(ctx context.Context) error {
	return s.admin(ctx, func(ctx context.Context, adm *kadm.Client) error {
		details, err := adm.ListTopics(ctx, s.topic)
		if err != nil {
			return err
		}
		err = details[s.topic].Err
		if !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return err
		}
		if s.partitions <= 0 {
			e := *pgerror.From(s.translate(err, &watch{}))
			return e.WithHint("Create the topic, correct the option \"topic\", or set the option \"partitions\" to have it made.")
		}
		made, err := adm.CreateTopic(ctx, s.partitions, s.replicas, nil, s.topic)
		if err == nil {
			err = made.Err
		}
		if errors.Is(err, kerr.TopicAlreadyExists) {
			return nil
		}
		return err
	})
}

// Open implements connector.Sink.
func (s *sink) Open(ctx context.Context) (connector.Writer, error) {
	if err := s.Check(ctx); err != nil {
		return nil, err
	}
	cl, w, err := s.client(s.opts...)
	if err != nil {
		return nil, err
	}
	wr := &writer{sink: s, cl: cl, watch: w}
	wr.life, wr.end = context.WithCancel(context.Background())
	if s.id == "" {
		return wr, nil
	}
	err = s.bounded(ctx, w, func(ctx context.Context) error {
		_, _, err := cl.ProducerID(ctx)
		return err
	})
	if err != nil {
		wr.end()
		cl.Close()
		return nil, err
	}
	return &txnWriter{writer: wr}, nil
}

// writer implements connector.Writer and Stater, at least once.
type writer struct {
	sink   *sink
	cl     *kgo.Client
	watch  *watch
	failed atomic.Pointer[error] // the first record's error
	life   context.Context       // of the records, which outlive their Write
	end    context.CancelFunc
}

// Write implements connector.Writer. The records are copied: the client keeps
// them until the brokers have them.
func (w *writer) Write(ctx context.Context, records []connector.Record) error {
	if err := w.err(); err != nil {
		return err
	}
	size := 0
	for i := range records {
		size += len(records[i].Key) + len(records[i].Value)
	}
	arena := make([]byte, 0, size)
	keep := func(b []byte) []byte {
		if b == nil {
			return nil
		}
		at := len(arena)
		arena = append(arena, b...)
		return arena[at:len(arena):len(arena)]
	}
	out := make([]kgo.Record, len(records))
	// Produce blocks while too much is under way; giving up then means giving
	// up this writer.
	defer context.AfterFunc(ctx, w.end)()
	for i := range records {
		r, k := &records[i], &out[i]
		k.Key, k.Value = keep(r.Key), keep(r.Value)
		if r.Timestamp != 0 {
			k.Timestamp = microTime(r.Timestamp)
		}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: strings.Clone(h.Key), Value: append([]byte(nil), h.Value...)})
		}
		w.cl.Produce(w.life, k, w.promise)
	}
	return w.err()
}

func (w *writer) promise(_ *kgo.Record, err error) {
	if err != nil {
		w.failed.CompareAndSwap(nil, &err)
	}
}

func (w *writer) err() error {
	if e := w.failed.Load(); e != nil {
		return w.sink.translate(*e, w.watch)
	}
	return nil
}

// Commit implements connector.Writer.
func (w *writer) Commit(ctx context.Context, _ uint64) error {
	within, cancel := context.WithTimeoutCause(ctx, w.sink.deliver, kgo.ErrRecordTimeout)
	defer cancel()
	if err := w.cl.Flush(within); err != nil {
		if ctx.Err() == nil {
			return w.sink.translate(context.Cause(within), w.watch)
		}
		return err
	}
	return w.err()
}

// State implements connector.Stater.
func (w *writer) State() error {
	if err := w.watch.last(); err != nil {
		return w.sink.translate(err, w.watch)
	}
	return nil
}

// Close implements connector.Writer.
func (w *writer) Close() error {
	w.end()
	w.cl.Close()
	return nil
}

// txnWriter implements connector.Writer and Positioner, exactly once.
type txnWriter struct {
	*writer
	open bool // a transaction is
}

// Write implements connector.Writer.
func (w *txnWriter) Write(ctx context.Context, records []connector.Record) error {
	if len(records) == 0 {
		return nil
	}
	if !w.open {
		if err := w.cl.BeginTransaction(); err != nil {
			return w.sink.translate(err, w.watch)
		}
		w.open = true
	}
	return w.writer.Write(ctx, records)
}

// Commit implements connector.Writer. Without records since the last one there
// is nothing to record: writing again from the older position gives none.
func (w *txnWriter) Commit(ctx context.Context, position uint64) error {
	if !w.open {
		return w.err()
	}
	err := w.writer.Commit(ctx, position)
	if err == nil {
		err = w.record(ctx, position)
	}
	if err == nil {
		err = w.cl.EndTransaction(ctx, kgo.TryCommit)
	}
	if err != nil {
		return w.sink.translate(err, w.watch)
	}
	w.open = false
	return nil
}

// record adds the position to the open transaction.
func (w *txnWriter) record(ctx context.Context, position uint64) error {
	id, epoch, err := w.cl.ProducerID(ctx)
	if err != nil {
		return err
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = w.sink.id, id, epoch, w.sink.id
	err = retry(ctx, func() error {
		resp, err := add.RequestWith(ctx, w.cl)
		if err != nil {
			return err
		}
		return kerr.ErrorForCode(resp.ErrorCode)
	})
	if err != nil {
		return err
	}
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch, commit.Group = w.sink.id, id, epoch, w.sink.id
	commit.Generation = -1
	t, p := kmsg.NewTxnOffsetCommitRequestTopic(), kmsg.NewTxnOffsetCommitRequestTopicPartition()
	t.Topic, p.Offset = w.sink.topic, int64(position)
	t.Partitions = append(t.Partitions, p)
	commit.Topics = append(commit.Topics, t)
	return retry(ctx, func() error {
		resp, err := commit.RequestWith(ctx, w.cl)
		if err != nil {
			return err
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Position implements connector.Positioner.
func (w *txnWriter) Position(ctx context.Context) (position uint64, ok bool, err error) {
	err = w.sink.bounded(ctx, w.watch, func(ctx context.Context) error {
		return retry(ctx, func() error {
			req := kmsg.NewPtrOffsetFetchRequest()
			req.Group, req.RequireStable = w.sink.id, true
			t := kmsg.NewOffsetFetchRequestTopic()
			t.Topic, t.Partitions = w.sink.topic, []int32{0}
			req.Topics = append(req.Topics, t)
			g := kmsg.NewOffsetFetchRequestGroup()
			g.Group = w.sink.id
			gt := kmsg.NewOffsetFetchRequestGroupTopic()
			gt.Topic, gt.Partitions = w.sink.topic, []int32{0}
			g.Topics = append(g.Topics, gt)
			req.Groups = append(req.Groups, g)
			resp, err := req.RequestWith(ctx, w.cl)
			if err == nil {
				position, ok, err = fetched(resp)
			}
			if errors.Is(err, kerr.GroupIDNotFound) {
				return nil // nothing was ever committed
			}
			return err
		})
	})
	return position, ok, err
}

// fetched reads the one offset of resp, in whichever of its two forms.
func fetched(resp *kmsg.OffsetFetchResponse) (position uint64, ok bool, err error) {
	take := func(code int16, offset int64) {
		if e := kerr.ErrorForCode(code); e != nil {
			err = e
		} else if offset >= 0 {
			position, ok = uint64(offset), true
		}
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return 0, false, err
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			take(p.ErrorCode, p.Offset)
		}
	}
	for _, g := range resp.Groups {
		if e := kerr.ErrorForCode(g.ErrorCode); e != nil {
			return 0, false, e
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				take(p.ErrorCode, p.Offset)
			}
		}
	}
	return position, ok, err
}

// Close implements connector.Writer. An open transaction is aborted, so that
// readers need not wait for its timeout.
func (w *txnWriter) Close() error {
	w.end()
	if w.open {
		ctx, cancel := context.WithTimeout(context.Background(), w.sink.timeout)
		defer cancel()
		// Best effort: the next Open aborts it if this does not.
		if w.cl.AbortBufferedRecords(ctx) == nil {
			_ = w.cl.EndTransaction(ctx, kgo.TryAbort)
		}
	}
	return w.writer.Close()
}
