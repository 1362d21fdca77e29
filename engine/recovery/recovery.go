// Package recovery holds the tests that kill the server: they build the real
// binary, run it under load, end it with SIGKILL at random moments, and compare
// what it has after a restart with ledgers kept outside of it.
//
// A ledger is what clients know: an acknowledged statement must be there, one
// that was cut off is there as a whole or not at all, and records in Kafka are
// counted exactly once in every view and every sink.
//
// The number of kills, the seed and a directory to keep come from the
// environment:
//
//	VELOSTREAM_TEST_KILLS=500     kills a test, default 50 in TestKill
//	VELOSTREAM_TEST_SEED=7        instead of a random one
//	VELOSTREAM_TEST_KAFKA=h:p     a real broker instead of one in the test
//	VELOSTREAM_TEST_BINARY=path   a server that is built already
//
// When a test fails it keeps the data directory and the server's log, and says
// where they are.
package recovery
