/* libpq: a line for each check, exit status 1 when one failed. */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *dsn;
static int failed;
static char why[1000];

/* no notes why a check failed, and is false. */
static int no(const char *format, ...) {
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	for (char *p = why; *p; p++)
		if (*p == '\n')
			*p = ' ';
	return 0;
}

static void check(const char *name, int (*f)(PGconn *)) {
	PGconn *c = PQconnectdb(dsn);
	why[0] = 0;
	int ok = PQstatus(c) == CONNECTION_OK ? f(c) : no("%s", PQerrorMessage(c));
	PQfinish(c);
	if (ok) {
		printf("ok   libpq %s\n", name);
	} else {
		failed = 1;
		printf("FAIL libpq %s: %s\n", name, why);
	}
	fflush(stdout);
}

static int is(PGresult *r, ExecStatusType want) {
	if (PQresultStatus(r) == want)
		return 1;
	return no("%s, want %s: %s", PQresStatus(PQresultStatus(r)), PQresStatus(want), PQresultErrorMessage(r));
}

static int value(PGresult *r, const char *want) {
	int ok = is(r, PGRES_TUPLES_OK);
	if (ok && strcmp(PQgetvalue(r, 0, 0), want) != 0)
		ok = no("got %s, want %s", PQgetvalue(r, 0, 0), want);
	PQclear(r);
	return ok;
}

static int run(PGconn *c, const char *q) {
	PGresult *r = PQexec(c, q);
	int ok = PQresultStatus(r) == PGRES_TUPLES_OK || is(r, PGRES_COMMAND_OK);
	PQclear(r);
	return ok;
}

static int state(PGresult *r, const char *want) {
	const char *got = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	int ok = got && strcmp(got, want) == 0 ? 1 : no("SQLSTATE %s, want %s", got ? got : "none", want);
	PQclear(r);
	return ok;
}

static int setup(PGconn *c) {
	return run(c, "DROP TABLE IF EXISTS c_libpq") && run(c, "CREATE TABLE c_libpq (id int PRIMARY KEY, v text)") &&
	       run(c, "INSERT INTO c_libpq VALUES (1, 'one'), (2, 'two')");
}

static int parameters(PGconn *c) {
	const char *v[] = {"2"};
	return value(PQexec(c, "SELECT 1"), "1") &&
	       value(PQexecParams(c, "SELECT v FROM c_libpq WHERE id = $1", 1, NULL, v, NULL, NULL, 0), "two");
}

static int binary(PGconn *c) {
	uint32_t n = htonl(41);
	const char *v[] = {(char *)&n};
	int len[] = {4}, fmt[] = {1};
	Oid type[] = {23};
	PGresult *r = PQexecParams(c, "SELECT $1 + 1", 1, type, v, len, fmt, 1);
	if (!is(r, PGRES_TUPLES_OK))
		return 0;
	uint32_t got;
	memcpy(&got, PQgetvalue(r, 0, 0), 4);
	int ok = PQfformat(r, 0) == 1 && PQftype(r, 0) == 23 && ntohl(got) == 42 ? 1 : no("got %u", ntohl(got));
	PQclear(r);
	return ok;
}

static int prepared(PGconn *c) {
	PGresult *r = PQprepare(c, "s", "SELECT v FROM c_libpq WHERE id = $1", 0, NULL);
	if (!is(r, PGRES_COMMAND_OK))
		return 0;
	PQclear(r);
	r = PQdescribePrepared(c, "s");
	if (!is(r, PGRES_COMMAND_OK) || PQnparams(r) != 1 || PQparamtype(r, 0) != 23 || PQftype(r, 0) != 25)
		return no("described as parameter %u, column %u", PQparamtype(r, 0), PQftype(r, 0));
	PQclear(r);
	for (int i = 0; i < 5; i++) {
		const char *v[] = {i % 2 ? "2" : "1"};
		if (!value(PQexecPrepared(c, "s", 1, v, NULL, NULL, 0), i % 2 ? "two" : "one"))
			return 0;
	}
	return 1;
}

static int errors(PGconn *c) {
	PGresult *r = PQexec(c, "SELECT nothing FROM c_libpq");
	const char *at = PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION);
	if (!at || strcmp(at, "8") != 0)
		return no("position %s, want 8", at ? at : "none");
	return state(r, "42703") && state(PQexec(c, "INSERT INTO c_libpq VALUES (1, 'x')"), "23505") &&
	       state(PQexec(c, "SELECT * FROM nothing"), "42P01") && state(PQexec(c, "SELECT 'x'::int"), "22P02");
}

static int transaction(PGconn *c) {
	if (!run(c, "BEGIN"))
		return 0;
	if (PQtransactionStatus(c) != PQTRANS_INTRANS)
		return no("not in a transaction");
	PQclear(PQexec(c, "SELECT 1/0"));
	if (PQtransactionStatus(c) != PQTRANS_INERROR)
		return no("not in a failed transaction");
	PGresult *r = PQexec(c, "COMMIT");
	int ok = strcmp(PQcmdStatus(r), "ROLLBACK") == 0 ? 1 : no("tag %s", PQcmdStatus(r));
	PQclear(r);
	return ok;
}

static int copy(PGconn *c) {
	PGresult *r = PQexec(c, "COPY c_libpq FROM STDIN");
	if (!is(r, PGRES_COPY_IN))
		return 0;
	PQclear(r);
	PQputCopyData(c, "3\tthree\n", 8);
	PQputCopyEnd(c, "the client gave up");
	if (!state(PQgetResult(c), "57014"))
		return 0;
	PQclear(PQgetResult(c));
	r = PQexec(c, "COPY (SELECT * FROM c_libpq ORDER BY id) TO STDOUT");
	if (!is(r, PGRES_COPY_OUT))
		return 0;
	PQclear(r);
	char *row;
	int n = 0;
	for (int len; (len = PQgetCopyData(c, &row, 0)) > 0; n++)
		PQfreemem(row);
	r = PQgetResult(c);
	int ok = is(r, PGRES_COMMAND_OK) && (n == 2 ? 1 : no("%d rows", n));
	PQclear(r);
	return ok;
}

static int single(PGconn *c) {
	PQsendQuery(c, "SELECT generate_series(1, 5)");
	PQsetSingleRowMode(c);
	int n = 0;
	PGresult *r;
	while ((r = PQgetResult(c))) {
		n += PQresultStatus(r) == PGRES_SINGLE_TUPLE;
		PQclear(r);
	}
	return n == 5 ? 1 : no("%d rows", n);
}

static int pipeline(PGconn *c) {
	PQenterPipelineMode(c);
	PQsendQueryParams(c, "SELECT 1", 0, NULL, NULL, NULL, NULL, 0);
	PQsendQueryParams(c, "SELECT 1/0", 0, NULL, NULL, NULL, NULL, 0);
	PQsendQueryParams(c, "SELECT 2", 0, NULL, NULL, NULL, NULL, 0);
	PQpipelineSync(c);
	const ExecStatusType want[] = {PGRES_TUPLES_OK, PGRES_FATAL_ERROR, PGRES_PIPELINE_ABORTED, PGRES_PIPELINE_SYNC};
	for (int i = 0; i < 4; i++) {
		PGresult *r = PQgetResult(c);
		if (!is(r, want[i]))
			return 0;
		PQclear(r);
		if (i < 3)
			PQclear(PQgetResult(c));
	}
	return PQexitPipelineMode(c) ? 1 : no("%s", PQerrorMessage(c));
}

static int cancel(PGconn *c) {
	char buf[256];
	PGcancel *k = PQgetCancel(c);
	PQsendQuery(c, "SELECT pg_sleep(5)");
	usleep(300000);
	if (!PQcancel(k, buf, sizeof buf))
		return no("%s", buf);
	PQfreeCancel(k);
	int ok = state(PQgetResult(c), "57014");
	PQclear(PQgetResult(c));
	return ok && value(PQexec(c, "SELECT 1"), "1");
}

static int notify(PGconn *c) {
	if (!run(c, "LISTEN news_libpq") || !run(c, "NOTIFY news_libpq, 'hello'"))
		return 0;
	PQconsumeInput(c);
	PGnotify *n = PQnotifies(c);
	int ok = n && strcmp(n->extra, "hello") == 0 && n->be_pid == PQbackendPID(c) ? 1 : no("no notification");
	PQfreemem(n);
	return ok;
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* live reads a continuous query row by row; another connection inserts. */
static int live(PGconn *c) {
	PGconn *feeder = PQconnectdb(dsn);
	if (!PQsendQuery(c, "SELECT id FROM c_libpq WHERE id > 100 EMIT CHANGES") || !PQsetSingleRowMode(c))
		return no("%s", PQerrorMessage(c));
	usleep(600000);
	int ok = 1;
	for (int i = 101; ok && i <= 104; i++) {
		char q[100];
		snprintf(q, sizeof q, "INSERT INTO c_libpq VALUES (%d, 'row')", i);
		ok = run(feeder, q);
		struct pollfd p = {PQsocket(c), POLLIN, 0};
		double until = now() + 1;
		while (ok && PQisBusy(c)) {
			if (now() > until || poll(&p, 1, 1000) <= 0)
				ok = no("row %d did not come in a second", i);
			else
				PQconsumeInput(c);
		}
		PGresult *r = ok ? PQgetResult(c) : NULL;
		if (ok && is(r, PGRES_SINGLE_TUPLE) && atoi(PQgetvalue(r, 0, 0)) != i)
			ok = no("got %s, want %d", PQgetvalue(r, 0, 0), i);
		PQclear(r);
	}
	ok = run(feeder, "DELETE FROM c_libpq WHERE id > 100") && ok;
	PQfinish(feeder);
	return ok;
}

int main(void) {
	dsn = getenv("CLIENTS_DSN");
	check("set-up", setup);
	check("simple and parameters", parameters);
	check("binary", binary);
	check("prepared", prepared);
	check("errors", errors);
	check("transaction status, COMMIT is ROLLBACK", transaction);
	check("COPY, CopyFail", copy);
	check("single row mode", single);
	check("pipeline", pipeline);
	check("cancel", cancel);
	check("LISTEN/NOTIFY", notify);
	const char *streaming = getenv("CLIENTS_STREAMING");
	if (!streaming || strcmp(streaming, "0") != 0)
		check("EMIT CHANGES by single rows", live);
	return failed;
}
