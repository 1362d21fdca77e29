// Package connector is the edge to other systems: bytes in, bytes out. It knows
// no SQL and no columns; engine/format turns bytes into columns, engine/source
// and engine/sink drive both and own positions, watermarks, retry and dead
// letters.
//
// A connector is a Source (Splits, Open) with its Reader (Read, Close), a Sink
// with its Writer, or both. What only some can do is an optional interface,
// found by type assertion:
//
//	Checker       Source, Sink   is it reachable, does the topic exist; at CREATE time
//	Beginner      Reader         says where its splits begin
//	Adder         Reader         takes on splits that appear later
//	Lister        Reader         lists the splits there are now, cheaper than the Source
//	Acknowledger  Reader         is told of positions that are durable
//	Stater        Reader, Writer says why nothing moves at present
//	Ender         Source         may end by itself
//	Bounded       Source         can stop where the data ends now
//	Headed        Source         its records have a header with their names
//	HeaderTaker   Sink           begins each file with a header
//	Positioner    Writer         records the commit position with the data: exactly once
//
// Connectors are listed in a Registry, a value made in the engine from a
// visible list.
package connector

import "context"

// Split is a part of a source that is read in order: a Kafka partition, a file.
type Split struct {
	// ID names the split for ever: positions are stored under it.
	ID string
	// Partition is the number people know it by.
	Partition int32
	// Number identifies the split as an integer, the same for ever: the
	// partition, or a hash of the ID. Row ids are made of it.
	Number int64
	// Place names where it is for people: the topic, the file.
	Place string
}

// Unset is the Position of a Start that has none yet: the source's own options
// say where reading begins.
const Unset int64 = -1

// Earliest is the Position of a Start at the oldest record there is.
const Earliest int64 = -2

// Start is where to read a split from: the Position that a Chunk of it told,
// Unset or Earliest.
type Start struct {
	Split    Split
	Position int64
}

// Source is something to read. Safe for concurrent use: each pipeline of a job
// opens its own Reader on its own splits.
type Source interface {
	// Splits lists the splits there are now. It may grow; see Adder.
	Splits(ctx context.Context) ([]Split, error)
	// Open begins to read. The context bounds opening only. Errors are
	// *pgerror.Error and come within seconds: unreachable (08006), no such
	// topic or file (42704, 58P01), refused credentials (28000).
	Open(ctx context.Context, starts []Start) (Reader, error)
}

// Reader reads the splits it was opened on. It is used by one goroutine;
// Close may be called by another once Read's context is done and it returned.
type Reader interface {
	// Read fills c with records of one split, waiting until there are some,
	// and never longer than ctx. c is the caller's: it is emptied first, its
	// memory reused, and what was read into it stays valid until c is passed
	// to Read again. A chunk may have no records and only move the position.
	// io.EOF ends a bounded source; any other error but the context's ends
	// the reader, which is then closed and opened again from the last
	// positions. Passing hindrances are retried inside; see Stater.
	Read(ctx context.Context, c *Chunk) error
	Close() error
}

// Chunk is a run of records of one split: Records, or Lines, not both.
type Chunk struct {
	Split   Split
	Records []Record
	// Lines are records that have nothing but a value: each begins and ends at
	// these bytes of Buf, in ascending order, with only line ends (of ASCII)
	// between them. Its position is Base plus where it begins.
	Lines [][2]uint32
	Base  int64
	// Timestamp is that of all Lines; see Record.
	Timestamp int64
	// Next is the position after the last record: where to go on from.
	Next int64
	// End is the position that the split is known to reach, -1: unknown.
	// End - Next is the lag where positions count records.
	End int64
	// Buf is for the reader to keep bytes of Records in, or the Lines.
	Buf []byte
}

// Len is how many records there are.
func (c *Chunk) Len() int { return len(c.Records) + len(c.Lines) }

// Record returns the i-th record, of Records or of Lines.
func (c *Chunk) Record(i int) Record {
	if len(c.Lines) == 0 {
		return c.Records[i]
	}
	return Record{Value: c.Line(i), Position: c.Position(i), Timestamp: c.Timestamp}
}

// Line returns the bytes of the i-th of Lines.
func (c *Chunk) Line(i int) []byte {
	l := c.Lines[i]
	return c.Buf[l[0]:l[1]:l[1]]
}

// Position returns the place of the i-th record.
func (c *Chunk) Position(i int) int64 {
	if len(c.Lines) == 0 {
		return c.Records[i].Position
	}
	return c.Base + int64(c.Lines[i][0])
}

// Reset empties the chunk and keeps its memory.
func (c *Chunk) Reset() {
	*c = Chunk{Records: c.Records[:0], Lines: c.Lines[:0], Buf: c.Buf[:0], End: -1}
}

// Record is one message, line or row. Its bytes belong to the Chunk it is in
// (to the caller, in a Writer's Write).
type Record struct {
	Key, Value []byte // nil: null, not the same as empty
	// Position is the record's own place: reading from it yields the record.
	Position int64
	// Timestamp is the record's time by the system it is from, µs since the
	// Unix epoch; 0: none.
	Timestamp int64
	Headers   []Header
}

// Header is a named value beside the record.
type Header struct {
	Key   string
	Value []byte
}

// Checker is a Source or Sink that can say early whether it will work: where
// it is, whether the topic exists, whether it lets us in.
type Checker interface {
	Check(ctx context.Context) error
}

// Beginner is a Reader that knows after Open where each of its splits begins.
// A source whose options can mean "from now on" must have one, so that the
// place is kept even if nothing is read before the next start.
type Beginner interface {
	Begins() []Start
}

// Lister is a Reader that lists the splits there are now over its own
// connection. It may be called while another goroutine is in Read.
type Lister interface {
	Splits(ctx context.Context) ([]Split, error)
}

// Adder is a Reader that takes on splits while reading. Add may be called
// while another goroutine is in Read.
type Adder interface {
	Add(ctx context.Context, starts []Start) error
}

// Acknowledger is a Reader that is told which positions (by split ID) are
// durable here: what is before them will not be asked for again.
type Acknowledger interface {
	Acknowledge(ctx context.Context, positions map[string]int64) error
}

// Stater says what a Reader or Writer that retries is up against; nil when all
// is well. Safe for concurrent use.
type Stater interface {
	State() error
}

// Ender is a Source that may end by itself.
type Ender interface {
	// Ends reports that every reader comes to an io.EOF.
	Ends() bool
}

// Bounded is a Source whose readers can stop where the data ended when they
// were opened, whatever arrives later: for a query over what is there now.
type Bounded interface {
	// Bound returns the source in that mode.
	Bound() Source
}

// Headed is a Source whose data begins with a header, as CSV files do, that is
// no record. nil: there is none, or no data yet.
type Headed interface {
	Header(ctx context.Context) ([]byte, error)
}

// HeaderTaker is a Sink that begins each of its files with a header. Called
// before Open.
type HeaderTaker interface {
	SetHeader(header []byte)
}

// Sink is something to write to.
type Sink interface {
	// Open begins to write. With a Positioner it also shuts out every other
	// writer of the same job (fencing), and cancels what one left unfinished.
	Open(ctx context.Context) (Writer, error)
}

// Writer writes records. It is used by one goroutine.
type Writer interface {
	// Write takes records; their bytes are the caller's again on return. On
	// return nothing is promised; see Commit.
	Write(ctx context.Context, records []Record) error
	// Commit makes everything written since the last Commit durable, and
	// visible if it was not. With a Positioner the position is recorded with
	// it, at once or not at all. After an error the writer is closed and
	// opened anew, and everything after the last recorded position written
	// again.
	Commit(ctx context.Context, position uint64) error
	// Close ends writing. What was not committed may be lost.
	Close() error
}

// Positioner is a Writer that delivers exactly once: it records the position
// of each Commit together with the records.
type Positioner interface {
	// Position returns the last recorded position, false when there is none.
	Position(ctx context.Context) (uint64, bool, error)
}
