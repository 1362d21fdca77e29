package state

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"velostream/pgwire/pgerror"
)

// diskError is err, met while reading or writing dir, as a user sees it.
func diskError(dir string, err error) *pgerror.Error {
	if e, ok := errors.AsType[*pgerror.Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return pgerror.New(pgerror.DiskFull, "no space left for the state in %q", dir).WithCause(err).
			WithHint("Free space on the device, then restart the server; it continues from the last checkpoint.")
	case pebble.IsCorruptionError(err):
		return damagedError(dir, err)
	}
	return pgerror.New(pgerror.IOError, "cannot access the state in %q: %v", dir, err).WithCause(err)
}

func damagedError(dir string, err error) *pgerror.Error {
	return pgerror.New(pgerror.DataCorrupted, "state directory %q is damaged: %v", dir, err).WithCause(err).
		WithHint("Restore the directory from a checkpoint, or move it away to start from the sources again.")
}

func (s *pebbleStore) readError(err error) error { return diskError(s.dir, err) }

// writeError records err, which leaves the outcome of a commit unknown, and
// returns what the store failed with first.
func (s *pebbleStore) writeError(err error) error {
	s.fence.freeze(err)
	return s.failed()
}

// openError explains why Pebble refused dir.
func openError(dir string, err error) error {
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) && isLockError(err) || lockHeldHere.MatchString(err.Error()) {
		return pgerror.New(pgerror.ObjectInUse, "state directory %q is in use by another server", dir).WithCause(err).
			WithHint("Stop the other server, or give this one a data directory of its own.")
	}
	if newerFormat.MatchString(err.Error()) {
		return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "state directory %q was written by a newer version of the server", dir).
			WithCause(err).WithHint("Run the newer version.")
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok && errno != syscall.ENOENT {
		return diskError(dir, err) // the system's own word, not what is in the files
	}
	if pebble.IsCorruptionError(err) || damaged.MatchString(err.Error()) || errors.Is(err, os.ErrNotExist) {
		return damagedError(dir, err)
	}
	return diskError(dir, err)
}

// Pebble has no error values for these.
var (
	lockHeldHere = regexp.MustCompile(`lock held by current process`)
	newerFormat  = regexp.MustCompile(`format major version`)
	damaged      = regexp.MustCompile(`(?i)manifest|marker|corrupt|invalid|checksum|comparer|merger|file size mismatch`)
)

// isLockError tells the EACCES of a lock held elsewhere (fcntl may return it
// for EAGAIN) from that of a file one may not open, which has a path.
func isLockError(err error) bool {
	var p *os.PathError
	return !errors.As(err, &p)
}

// ownFiles are the names that occur in a store's directory.
var ownFiles = regexp.MustCompile(`^(\d+(-\d+)?\.(sst|log|blob|dbtmp|ldb)|MANIFEST-\d+|OPTIONS-\d+(\.dbtmp)?|CURRENT.*|LOCK|marker\..*|REMOTE-OBJ-.*|temporary\..*|archive|lost\+found|` + stagingDir + `)$`)

// checkDir refuses a directory that holds something else, before Pebble
// spreads its files over it.
func checkDir(fs vfs.FS, dir string) error {
	names, err := fs.List(dir)
	if errors.Is(err, os.ErrNotExist) {
		return mkdirDurable(fs, dir)
	}
	if err != nil {
		return diskError(dir, err)
	}
	data, root := "", false
	for _, n := range names {
		root = root || strings.HasPrefix(n, "marker.manifest.")
		if isTable(n) || strings.HasSuffix(n, ".log") {
			data = n
		}
		if !ownFiles.MatchString(n) {
			return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "directory %q is not a state directory: it holds %q", dir, n).
				WithHint("Give an empty directory, or one that a server made.")
		}
	}
	// Pebble would begin anew, and remove what it does not know. The marker is
	// durable before the first of these files is made, so this is no crash.
	if data != "" && !root {
		return damagedError(dir, fmt.Errorf("it holds %q, but no marker of the manifest", data))
	}
	return nil
}

// mkdirDurable makes dir and its parents, and fsyncs the existing directory
// that gets a new name: Pebble fsyncs only inside dir.
func mkdirDurable(fs vfs.FS, dir string) error {
	parent := fs.PathDir(dir)
	if _, err := fs.Stat(parent); errors.Is(err, os.ErrNotExist) && parent != dir {
		if err := mkdirDurable(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o750); err != nil {
		return diskError(dir, err)
	}
	d, err := fs.OpenDir(parent)
	if err != nil {
		return diskError(dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return diskError(dir, err)
	}
	return nil
}

// pebbleLogger passes Pebble's messages to slog. It must never end the process.
type pebbleLogger struct{ s *pebbleStore }

// Infof implements pebble.Logger.
func (l pebbleLogger) Infof(format string, args ...any) {
	l.s.log.Debug("pebble", "detail", fmt.Sprintf(format, args...))
}

// Errorf implements pebble.Logger.
func (l pebbleLogger) Errorf(format string, args ...any) {
	l.s.log.Error("pebble", "detail", fmt.Sprintf(format, args...))
}

// Fatalf implements pebble.Logger. Pebble means to be ended here. Instead
// nothing more reaches the disk, and the error goes to those who commit. It
// then returns: Pebble hands the error on, and holds no lock too long.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, a := range args {
		if e, ok := a.(error); ok {
			err = fmt.Errorf("%s: %w", err.Error(), e)
		}
	}
	l.s.fence.freeze(err)
}

// events are the background events we act on.
func (s *pebbleStore) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if !errors.Is(err, errFrozen) {
				s.fence.freeze(err)
			}
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			// Whoever reads the damaged block gets the error; the rest of the
			// store is still good for reading.
			s.log.Error("state store found damaged data", "detail", info.String())
		},
		DiskSlow: func(info pebble.DiskSlowInfo) {
			s.log.Warn("disk is slow", "detail", info.String())
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			s.log.Warn("commits wait for the disk", "reason", info.Reason)
		},
	}
}
