package pgwire

// Committer is implemented by Sessions that commit the implicit transaction of
// a statement by themselves, before its result is sent, when it is all there is
// in the transaction: then a statement that lost against a concurrent one can
// be run again unseen.
type Committer interface {
	// Final says whether the statement that runs next is the last before Sync,
	// as far as the client's messages have arrived.
	Final(last bool)
}

// hint tells the session whether the next statement is the last before Sync.
func (c *conn) hint(last bool) {
	if s, ok := c.session.(Committer); ok {
		s.Final(last)
	}
}

// syncNext reports that the client's next message has arrived and is a Sync.
func (c *conn) syncNext() bool { return c.upcoming() == 'S' }
