package state

// measureMax is how many entries Measure counts one by one.
const measureMax = 50_000

// sized is implemented by stores that know what a range takes on disk.
type sized interface {
	diskUsage(lo, hi []byte) (int64, error)
}

// Measure says how many entries s has in lo <= key < hi, and their bytes. Of
// large ranges it is an estimate: what they take on disk, and as many entries as
// that is of the size of the first ones.
func Measure(s Store, lo, hi []byte) (entries, bytes int64, err error) {
	for e, err := range s.Scan(lo, hi) {
		if err != nil {
			return 0, 0, err
		}
		entries++
		bytes += int64(len(e.Key) + len(e.Value))
		if entries == measureMax {
			break
		}
	}
	d, ok := s.(sized)
	if entries < measureMax || !ok {
		return entries, bytes, nil
	}
	n, err := d.diskUsage(lo, hi)
	if n <= bytes || err != nil {
		return entries, bytes, err
	}
	return int64(float64(entries) * float64(n) / float64(bytes)), n, nil
}

// diskUsage implements sized.
func (s *pebbleStore) diskUsage(lo, hi []byte) (int64, error) {
	if err := s.gate.enter(); err != nil {
		return 0, err
	}
	defer s.gate.leave()
	n, err := s.db.EstimateDiskUsage(lo, hi)
	return int64(n), err
}
