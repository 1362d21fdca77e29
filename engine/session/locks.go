package session

import "time"

// lockTimeout is how long a statement waits for rows that others have locked,
// 0: for ever.
func (st *settings) lockTimeout() time.Duration { return st.timeout("lock_timeout") }
