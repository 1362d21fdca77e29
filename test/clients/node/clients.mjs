// node-pg with its cursor and its stream, and postgres.js: a line for each
// check, exit status 1 when one failed.
import { readFileSync } from 'node:fs';
import pg from 'pg';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import postgres from 'postgres';

const dsn = process.env.CLIENTS_DSN;
const streaming = process.env.CLIENTS_STREAMING !== '0';
const types = readFileSync(new URL('../types.tsv', import.meta.url), 'utf8')
  .split('\n').filter(Boolean).map((l) => l.split('\t'));
const wrong = {
  23505: (t) => `INSERT INTO ${t} VALUES (1, 'twice')`,
  '42P01': () => 'SELECT * FROM no_such_relation',
  '22P02': () => "SELECT 'x'::int4",
  22012: () => 'SELECT 1/0',
  42601: () => 'SELEC 1',
  42703: (t) => `SELECT no_such_column FROM ${t}`,
};
let failed = false;

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const literal = (s) => `'${s.replaceAll("'", "''")}'`;

function same(got, want) {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)];
  if (g !== w) throw new Error(`got ${g}, want ${w}`);
}

async function check(driver, name, f) {
  let timer;
  const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error('not done in 15 s')), 15000); });
  try {
    await Promise.race([f(), late]);
    console.log(`ok   ${driver} ${name}`);
  } catch (e) {
    failed = true;
    console.log(`FAIL ${driver} ${name}: ${e.code ?? ''} ${String(e.message).replace(/\s+/g, ' ')}`);
  }
  clearTimeout(timer);
}

async function fails(promise, state) {
  try {
    await promise;
  } catch (e) {
    if (e.code !== state) throw new Error(`SQLSTATE ${e.code}, want ${state}: ${e.message}`);
    return;
  }
  throw new Error(`no error, want ${state}`);
}

async function connect() {
  const c = new pg.Client(dsn);
  c.on('error', () => {});
  await c.connect();
  return c;
}

// own runs f on a connection of its own.
const own = (f) => async () => {
  const c = await connect();
  try {
    await f(c);
  } finally {
    c.connection.stream.destroy();
  }
};

async function setup(t, f) {
  const c = await connect();
  for (const name of [t, f]) {
    await c.query(`DROP TABLE IF EXISTS ${name}`);
    await c.query(`CREATE TABLE ${name} (id int PRIMARY KEY, v text)`);
  }
  await c.query(`INSERT INTO ${t} VALUES (1, 'one'), (2, 'two')`);
  await c.end();
}

// feed inserts rows 1 to 4; the returned object is told of each that came, and
// says at the end whether all came within a second.
function feed(table) {
  const sent = {}, seen = {};
  const done = (async () => {
    const c = await connect();
    await sleep(600);
    for (let i = 1; i <= 4; i++) {
      sent[i] = Date.now();
      await c.query(`INSERT INTO ${table} VALUES ($1, 'row')`, [i]);
      await sleep(250);
    }
    await c.end();
  })();
  return {
    saw: (i) => { seen[i] ??= Date.now(); // SUBSCRIBE shows them once more when they are deleted
      return Object.keys(seen).length === 4; },
    end: async () => {
      await done;
      const until = Date.now() + 1500;
      while (Object.keys(seen).length < 4 && Date.now() < until) await sleep(50);
      const c = await connect();
      await c.query(`DELETE FROM ${table}`);
      await c.end();
      for (const i of [1, 2, 3, 4]) {
        if (!seen[i]) throw new Error(`row ${i} did not come`);
        if (seen[i] - sent[i] > 1000) throw new Error(`row ${i} came ${seen[i] - sent[i]} ms after its INSERT`);
      }
    },
  };
}

async function nodePg() {
  const d = 'pg', t = 'c_pg', f = 'feed_pg';
  await setup(t, f);
  await check(d, 'simple and parameters', own(async (c) => {
    same((await c.query("SELECT 1 AS a, 'x' AS b, NULL AS c")).rows, [{ a: 1, b: 'x', c: null }]);
    same((await c.query(`SELECT v FROM ${t} WHERE id = $1`, [2])).rows, [{ v: 'two' }]);
    const all = await c.query(`SELECT 1; UPDATE ${t} SET v = v; SELECT 2`);
    same(all.map((r) => [r.command, r.rowCount]), [['SELECT', 1], ['UPDATE', 2], ['SELECT', 1]]);
  }));
  for (const [kind, text] of types) {
    await check(d, `type ${kind} ${text}`, own(async (c) => {
      await c.query("SET TIME ZONE 'UTC'");
      // as text, and as what the driver makes of it where that keeps all of it
      const as = (await c.query({ text: `SELECT $1::${kind} AS v`, values: [text], types: { getTypeParser: () => (s) => s } })).rows[0].v;
      const back = await c.query(`SELECT ($1::${kind})::text AS a, (${literal(text)}::${kind})::text AS b`, [as]);
      same(back.rows[0].a, back.rows[0].b);
      if (!/json|numeric\[\]|bytea\[\]|time|date|interval|float8\[\]|oid/.test(kind)) {
        const v = (await c.query(`SELECT ${literal(text)}::${kind} AS v`)).rows[0].v;
        same((await c.query(`SELECT ($1::${kind})::text AS a`, [v])).rows[0].a, back.rows[0].b);
      }
    }));
  }
  await check(d, 'binary results', own(async (c) => {
    const r = await c.query({ text: 'SELECT 7::int4 AS a, true AS b, 9::int2 AS c', binary: true });
    same(r.rows, [{ a: 7, b: true, c: 9 }]);
  }));
  for (const [state, q] of Object.entries(wrong)) {
    await check(d, `error ${state}`, own((c) => fails(c.query(q(t)), state)));
  }
  await check(d, 'error 57014, statement_timeout', async () => {
    const c = new pg.Client({ connectionString: dsn, statement_timeout: 50 });
    await c.connect();
    await fails(c.query('SELECT pg_sleep(5)'), '57014');
    await c.end();
  });
  await check(d, 'prepared reuse', own(async (c) => {
    for (let i = 0; i < 10; i++) {
      same((await c.query({ name: 'plus', text: 'SELECT $1::int + 1 AS n', values: [i] })).rows[0].n, i + 1);
    }
  }));
  await check(d, 'transaction and savepoint', own(async (c) => {
    await c.query('BEGIN');
    await c.query(`INSERT INTO ${f} VALUES ($1, $2)`, [1, 'kept']);
    await c.query('SAVEPOINT a');
    await fails(c.query(`INSERT INTO ${f} VALUES ($1, $2)`, [1, 'twice']), '23505');
    await c.query('ROLLBACK TO a');
    same((await c.query('COMMIT')).command, 'COMMIT');
    same((await c.query(`DELETE FROM ${f}`)).rowCount, 1);
  }));
  await check(d, 'failed transaction, COMMIT is ROLLBACK', own(async (c) => {
    await c.query('BEGIN');
    await fails(c.query('SELECT 1/0'), '22012');
    await fails(c.query('SELECT 1'), '25P02');
    same((await c.query('COMMIT')).command, 'ROLLBACK');
  }));
  await check(d, 'DDL in a transaction', own(async (c) => {
    for (const q of ['BEGIN', 'CREATE TABLE ddl_pg (id int PRIMARY KEY)', 'INSERT INTO ddl_pg VALUES (1)', 'DROP TABLE ddl_pg', 'COMMIT']) {
      await c.query(q);
    }
  }));
  await check(d, 'cancel', own(async (c) => {
    const p = fails(c.query('SELECT pg_sleep(5)'), '57014');
    await sleep(300);
    const other = await connect();
    await other.query('SELECT pg_cancel_backend($1)', [c.processID]);
    await other.end();
    await p;
    await c.query('SELECT 1');
  }));
  await check(d, 'LISTEN/NOTIFY', own(async (c) => {
    const got = new Promise((r) => c.on('notification', (n) => r([n.channel, n.payload])));
    await c.query('LISTEN news_pg');
    await c.query('SELECT pg_notify($1, $2)', ['news_pg', 'hello']);
    same(await Promise.race([got, sleep(3000)]), ['news_pg', 'hello']);
  }));
  await check('pg-cursor', 'read(n)', own(async (c) => {
    const cur = c.query(new Cursor('SELECT i FROM generate_series(1, $1::int) i', [20]));
    same((await cur.read(7)).length, 7);
    same((await cur.read(100)).length, 13);
    same((await cur.read(1)).length, 0);
    const early = c.query(new Cursor('SELECT i FROM generate_series(1, 20) i'));
    await early.read(1);
    await early.close();
    same((await c.query('SELECT 1 AS a')).rows, [{ a: 1 }]);
  }));
  await check('pg-query-stream', 'batches', own(async (c) => {
    const got = [];
    for await (const r of c.query(new QueryStream('SELECT i FROM generate_series(1, 20) i', [], { batchSize: 7 }))) got.push(r.i);
    same(got.length, 20);
  }));
  if (!streaming) return;
  const live = [['EMIT CHANGES', `SELECT id FROM ${f} EMIT CHANGES`], ['SUBSCRIBE', `SUBSCRIBE TO (SELECT id FROM ${f})`]];
  for (const [name, q] of live) {
    await check(d, `${name} by row events`, own(async (c) => {
      const fed = feed(f);
      const query = new pg.Query(q);
      query.on('row', (r) => fed.saw(r.id));
      let error;
      query.on('error', (e) => { error = e; });
      c.query(query);
      await fed.end();
      if (error) throw error;
    }));
    await check('pg-cursor', `${name} by read(1)`, own(async (c) => {
      const fed = feed(f);
      const cur = c.query(new Cursor(q));
      try {
        for (;;) {
          const [r] = await cur.read(1);
          if (!r) throw new Error('the cursor ended');
          if (fed.saw(r.id)) break;
        }
      } finally {
        await fed.end();
      }
    }));
    await check('pg-query-stream', `${name}, batchSize 1`, own(async (c) => {
      const fed = feed(f);
      const s = c.query(new QueryStream(q, [], { batchSize: 1, highWaterMark: 1 }));
      s.on('error', () => {});
      s.on('data', (r) => fed.saw(r.id));
      await fed.end();
    }));
  }
}

async function postgresJs() {
  const d = 'postgres.js', t = 'c_pgjs', f = 'feed_pgjs';
  await setup(t, f);
  const open = () => postgres(dsn, { max: 3, onnotice: () => {}, connection: { TimeZone: 'UTC' } });
  const sql = open();
  await check(d, 'simple and parameters', async () => {
    same(await sql`SELECT 1 AS a, 'x' AS b, NULL AS c`, [{ a: 1, b: 'x', c: null }]);
    same(await sql`SELECT v FROM ${sql(t)} WHERE id = ${2}`, [{ v: 'two' }]);
    same((await sql`INSERT INTO ${sql(f)} ${sql([{ id: 1, v: 'a' }, { id: 2, v: 'b' }])} RETURNING id`).map((r) => r.id), [1, 2]);
    same((await sql`DELETE FROM ${sql(f)} WHERE id = ANY(${[1, 2]})`).count, 2);
  });
  for (const [kind, text] of types) {
    if (/^(jsonb|bytea|bool|date|timestamp|timestamptz)\[\]$/.test(kind) || text.includes('NULL,')) continue; // the driver writes them as PostgreSQL cannot read them
    await check(d, `type ${kind} ${text}`, async () => {
      const [{ v }] = await sql.unsafe(`SELECT ${literal(text)}::${kind} AS v`);
      const [r] = await sql.unsafe(`SELECT ($1::${kind})::text AS a, (${literal(text)}::${kind})::text AS b`, [v]);
      if (/timestamp/.test(kind)) r.b = r.b.replace('.789012', '.789'); // Date has milliseconds
      if (/^json/.test(kind)) [r.a, r.b] = [r.a.replaceAll(' ', ''), r.b.replaceAll(' ', '')];
      same(r.a, r.b);
    });
  }
  for (const [state, q] of Object.entries(wrong)) {
    await check(d, `error ${state}`, () => fails(sql.unsafe(q(t)), state));
  }
  await check(d, 'describe', async () => {
    const s = await sql`SELECT id + ${1} AS n FROM ${sql(t)} WHERE v = ${'x'}`.describe();
    same([s.types, s.columns.map((c) => [c.name, c.type])], [[23, 25], [['n', 23]]]);
  });
  await check(d, 'transaction and savepoint', async () => {
    await sql.begin(async (tx) => {
      await tx`INSERT INTO ${sql(f)} VALUES (1, 'kept')`;
      await fails(tx.savepoint((sp) => sp`INSERT INTO ${sql(f)} VALUES (1, 'twice')`), '23505');
    });
    await fails(sql.begin((tx) => [tx`INSERT INTO ${sql(f)} VALUES (2, 'gone')`, tx`SELECT 1/0`]), '22012');
    same((await sql`DELETE FROM ${sql(f)}`).count, 1);
  });
  await check(d, 'pipelining', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => sql`SELECT ${i}::int AS n`));
    same(all.map(([r]) => r.n), Array.from({ length: 50 }, (_, i) => i));
  });
  await check(d, 'COPY', async () => {
    const w = await sql`COPY ${sql(f)} FROM STDIN`.writable();
    await new Promise((yes, no) => { w.on('error', no); w.on('finish', yes); w.write('1\ta\n'); w.end('2\t\\N\n'); });
    let out = '';
    for await (const b of await sql`COPY (SELECT * FROM ${sql(f)} ORDER BY id) TO STDOUT`.readable()) out += b;
    same(out, '1\ta\n2\t\\N\n');
    await sql`DELETE FROM ${sql(f)}`;
  });
  await check(d, 'cancel', async () => {
    const q = sql`SELECT pg_sleep(5)`;
    const p = fails(q, '57014');
    await sleep(300);
    q.cancel();
    await p;
  });
  await check(d, 'cursor', async () => {
    const got = [];
    for await (const rows of sql`SELECT i FROM generate_series(1, 20) i`.cursor(7)) got.push(rows.length);
    same(got, [7, 7, 6]);
  });
  await check(d, 'LISTEN/NOTIFY', async () => {
    let say;
    const got = new Promise((r) => { say = r; });
    await sql.listen('news_pgjs', say);
    await sql.notify('news_pgjs', 'hello');
    same(await Promise.race([got, sleep(3000)]), 'hello');
  });
  if (streaming) {
    for (const [name, q] of [['EMIT CHANGES', `SELECT id FROM ${f} EMIT CHANGES`], ['SUBSCRIBE', `SUBSCRIBE TO (SELECT id FROM ${f})`]]) {
      await check(d, `${name} by cursor(1)`, async () => {
        const mine = open();
        const fed = feed(f);
        mine.unsafe(q).cursor(1, ([r]) => { fed.saw(r.id); }).catch(() => {});
        await fed.end();
        await mine.end({ timeout: 0 });
      });
      await check(d, `${name} by forEach`, async () => {
        const mine = open();
        const fed = feed(f);
        mine.unsafe(q).forEach((r) => { fed.saw(r.id); }).catch(() => {});
        await fed.end();
        await mine.end({ timeout: 0 });
      });
    }
  }
  await sql.end({ timeout: 1 });
}

await nodePg();
await postgresJs();
process.exit(failed ? 1 : 0);
