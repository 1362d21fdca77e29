package job

import (
	"encoding/json"

	"velostream/pgwire/pgerror"
	"velostream/storage/state"
)

// State tables of a job beside those of its plan's operators.
const (
	metaTable uint16 = 0xffff // one entry: checkpoint
	logTable  uint16 = 0xfffe // the job's output log
	viewTable uint16 = 0xfffd // the rows of a view, by stream key
	feedTable uint16 = 0xfffc // where the reader of a subscription is
	lateTable uint16 = 0xfffb // late rows on their way to the table of dead letters
)

// checkpoint is where a job is: written with every flushed epoch, in the same
// batch as its state.
type checkpoint struct {
	Epoch uint64 `json:"epoch"`
	// Cuts are the positions in the logs it reads: 0 the native commits, else
	// the job of that relation.
	Cuts map[uint32]uint64 `json:"cuts,omitempty"`
	// Positions of connector sources, by scan index, then shard.
	Positions map[int]map[int][]byte `json:"positions,omitempty"`
	// Backfilling: the content of its inputs was not read to the end; after a
	// restart the job begins anew.
	Backfilling bool `json:"backfilling,omitempty"`
	// Shards the state is spread over, always as at first.
	Shards int `json:"shards"`
	// LateRows, NullTimes and DeadLetters count since the job was created.
	LateRows    int64 `json:"late_rows,omitempty"`
	NullTimes   int64 `json:"null_times,omitempty"`
	DeadLetters int64 `json:"dead_letters,omitempty"`
	RowsIn      int64 `json:"rows_in,omitempty"`
	RowsOut     int64 `json:"rows_out,omitempty"`
}

func metaKey(job uint32) []byte { return state.Prefix(job, metaTable, 0) }

// loadCheckpoint reads where the job is; nil: it has never checkpointed.
func loadCheckpoint(r state.Reader, job uint32) (*checkpoint, error) {
	b, err := r.Get(metaKey(job))
	if err != nil || b == nil {
		return nil, err
	}
	var c checkpoint
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, pgerror.New(pgerror.DataCorrupted, "checkpoint of job %d cannot be read: %v", job, err).WithCause(err)
	}
	return &c, nil
}

func (c *checkpoint) stage(b state.Batch, job uint32) error {
	v, err := json.Marshal(c)
	if err != nil {
		return err
	}
	b.Put(metaKey(job), v)
	return nil
}
