// Drizzle: its kit writes the schema into the database and reads it back; its
// query builder and its relations on top.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { and, asc, avg, count, desc, eq, gt, ilike, inArray, sql, sum } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { check, dsn, finish, same, undone } from './checks.mjs';

const d = 'drizzle';
const here = path.dirname(fileURLToPath(import.meta.url));
const kit = path.join(path.dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs');
// beside the packages, which the schema imports
const folder = await mkdtemp(path.join(here, 'node_modules', '.drizzle-'));

const schema = (extra) => `
import { relations, sql } from 'drizzle-orm';
import { bigint, boolean, check, date, index, integer, jsonb, numeric, pgSchema, primaryKey, serial, text, timestamp, unique, uniqueIndex, uuid, varchar } from 'drizzle-orm/pg-core';

export const dz = pgSchema('dz');
export const kind = dz.enum('kind', ['a', 'b']);
export const author = dz.table('author', {
  id: serial('id').primaryKey(),
  name: varchar('name', { length: 40 }).notNull().unique(),
  kind: kind('kind').default('a'),
  tags: text('tags').array(),
  data: jsonb('data'),
  born: date('born'),
  ok: boolean('ok').default(true).notNull(),
  created: timestamp('created', { withTimezone: true }).defaultNow().notNull(),
  ${extra}
}, (t) => [index('author_born').on(t.born.desc(), t.name)]);
export const book = dz.table('book', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity({ name: 'book_id_seq' }),
  key: uuid('key').defaultRandom().unique(),
  title: text('title').notNull(),
  price: numeric('price', { precision: 8, scale: 2 }).default('1.50'),
  pages: integer('pages').default(0).notNull(),
  author: integer('author').references(() => author.id, { onDelete: 'cascade' }),
}, (t) => [unique('book_once').on(t.title, t.author), check('book_price', sql\`\${t.price} >= 0\`), uniqueIndex('book_long').on(t.title).where(sql\`\${t.pages} > 1000\`)]);
export const shelved = dz.table('shelved', { book: bigint('book', { mode: 'number' }).notNull().references(() => book.id), place: varchar('place', { length: 10 }).notNull() }, (t) => [primaryKey({ columns: [t.book, t.place] })]);
export const authorRelations = relations(author, ({ many }) => ({ books: many(book) }));
export const bookRelations = relations(book, ({ one, many }) => ({ author: one(author, { fields: [book.author], references: [author.id] }), places: many(shelved) }));
export const shelvedRelations = relations(shelved, ({ one }) => ({ book: one(book, { fields: [shelved.book], references: [book.id] }) }));
`;

const config = (out) => `export default { dialect: 'postgresql', schema: './schema.mjs', out: '${out}', dbCredentials: { url: ${JSON.stringify(dsn)} }, schemaFilter: ['dz'] };`;

// run calls drizzle-kit in the folder.
async function run(...args) {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [kit, ...args, '--config=drizzle.config.mjs'], { cwd: folder, timeout: 60000, env: { ...process.env, NO_COLOR: '1' } });
    return stdout + stderr;
  } catch (e) {
    throw new Error(`${args[0]}: ${e.stdout ?? ''} ${e.stderr ?? ''} ${e.message}`.slice(-600));
  }
}

async function write(extra = '') {
  await writeFile(path.join(folder, 'schema.mjs'), schema(extra));
  return import(`${pathToFileURL(path.join(folder, 'schema.mjs'))}?${Math.random()}`);
}

const pool = new pg.Pool({ connectionString: dsn });
const clean = async () => {
  await pool.query('DROP SCHEMA IF EXISTS dz CASCADE');
  await pool.query('DROP SCHEMA IF EXISTS drizzle CASCADE');
};
await clean();
await writeFile(path.join(folder, 'drizzle.config.mjs'), config('./out'));
let s = await write();

await check(d, 'generate and migrate', async () => {
  await run('generate');
  await migrate(drizzle(pool), { migrationsFolder: path.join(folder, 'out') });
  await migrate(drizzle(pool), { migrationsFolder: path.join(folder, 'out') });
  same((await pool.query('SELECT count(*)::int AS n FROM drizzle.__drizzle_migrations')).rows, [{ n: 1 }]);
});
await check(d, 'push', async () => {
  const out = await run('push', '--force');
  if (!out.includes('No changes')) throw new Error(out.slice(-400));
  s = await write("size: integer('size').default(3),");
  await run('push', '--force');
  const again = await run('push', '--force');
  if (!again.includes('No changes')) throw new Error(again.slice(-400));
});
await check(d, 'pull', async () => {
  await writeFile(path.join(folder, 'drizzle.config.mjs'), config('./pulled'));
  await run('pull');
  const text = await readFile(path.join(folder, 'pulled', 'schema.ts'), 'utf8');
  for (const want of ["id: serial().primaryKey().notNull()", 'name: varchar({ length: 40 }).notNull()', "kind: kindInDz().default('a')", 'tags: text().array()', 'size: integer().default(3)',
    "created: timestamp({ withTimezone: true, mode: 'string' }).defaultNow().notNull()", "price: numeric({ precision: 8, scale:  2 }).default('1.50')", 'key: uuid().defaultRandom()',
    'name: "book_author_author_id_fk"', '.onDelete("cascade")', 'unique("book_once").on(table.title, table.author)', 'check("book_price"', 'generatedAlwaysAsIdentity', "dz.enum(\"kind\", ['a', 'b'])"]) {
    if (!text.includes(want)) throw new Error(`${want} is not in ${text.slice(0, 3000)}`);
  }
});

const db = drizzle(pool, { schema: s });
const { author, book, shelved } = s;
await check(d, 'rows', async () => {
  const [a] = await db.insert(author).values({ name: 'ann', tags: ['x', 'y "z"'], data: { a: [1, null] }, born: '1970-01-02' }).returning();
  same([a.id, a.kind, a.tags, a.data, a.born, a.ok, a.size, a.created instanceof Date], [1, 'a', ['x', 'y "z"'], { a: [1, null] }, '1970-01-02', true, 3, true]);
  await db.insert(author).values([{ name: 'bob' }, { name: 'cid' }]);
  await db.insert(author).values({ name: 'cid', kind: 'b' }).onConflictDoUpdate({ target: author.name, set: { kind: 'b' } });
  await db.insert(author).values({ name: 'cid' }).onConflictDoNothing();
  same((await db.update(author).set({ ok: false }).where(eq(author.kind, 'b')).returning({ name: author.name })), [{ name: 'cid' }]);
  same((await db.delete(author).where(inArray(author.name, ['cid', 'none']))).rowCount, 1);
  await db.insert(book).values([{ title: 'one', author: 1, price: '2.25' }, { title: 'two', author: 1, pages: 7 }, { title: 'three', author: 2, pages: 9 }]);
  await db.insert(shelved).values([{ book: 1, place: 'A1' }, { book: 1, place: 'B2' }, { book: 3, place: 'B2' }]);
});
await check(d, 'select', async () => {
  const n = count(book.id);
  same(await db.select({ name: author.name, n, total: sum(book.price), a: avg(book.pages) }).from(author).leftJoin(book, eq(book.author, author.id)).groupBy(author.name).having(gt(n, 0)).orderBy(desc(n)),
    [{ name: 'ann', n: 2, total: '3.75', a: '3.5000000000000000' }, { name: 'bob', n: 1, total: '1.50', a: '9.0000000000000000' }]);
  const some = db.$with('some').as(db.select({ id: book.id, up: sql`upper(${book.title})`.as('up') }).from(book).where(and(ilike(book.title, 'T%'), gt(book.pages, 1))));
  same(await db.with(some).select().from(some).orderBy(asc(some.id)).limit(1).offset(1), [{ id: 3, up: 'THREE' }]);
  const prepared = db.select({ title: book.title }).from(book).where(eq(book.id, sql.placeholder('id'))).prepare('dz_one');
  same([await prepared.execute({ id: 1 }), await prepared.execute({ id: 2 })], [[{ title: 'one' }], [{ title: 'two' }]]);
  same(await db.$count(book, gt(book.pages, 1)), 2);
  same((await db.selectDistinctOn([book.author], { t: book.title }).from(book).orderBy(book.author, desc(book.pages))).map((r) => r.t), ['two', 'three']);
});
await check(d, 'relations', async () => {
  const got = await db.query.author.findMany({ columns: { name: true, data: true }, orderBy: asc(author.name), limit: 5,
    with: { books: { columns: { title: true, pages: true }, orderBy: asc(book.title), with: { places: { columns: { place: true }, orderBy: asc(shelved.place) } } } } });
  same(got, [{ name: 'ann', data: { a: [1, null] }, books: [{ title: 'one', pages: 0, places: [{ place: 'A1' }, { place: 'B2' }] }, { title: 'two', pages: 7, places: [] }] },
    { name: 'bob', data: null, books: [{ title: 'three', pages: 9, places: [{ place: 'B2' }] }] }]);
  const one = await db.query.book.findFirst({ where: eq(book.title, 'three'), with: { author: true }, extras: { twice: sql`${book.pages} * 2`.as('twice') } });
  same([one.author.name, one.twice], ['bob', 18]);
});
await check(d, 'transactions', async () => {
  await undone(db.transaction(async (tx) => { await tx.insert(author).values({ name: 'gone' }); throw new Error('undo'); }));
  await db.transaction(async (tx) => {
    await tx.insert(author).values({ name: 'kept' });
    await undone(tx.transaction(async (in_) => { await in_.insert(author).values({ name: 'gone' }); throw new Error('undo'); }));
    same((await tx.select({ n: author.name }).from(author).where(eq(author.name, 'ann')).for('update', { skipLocked: true })), [{ n: 'ann' }]);
  }, { isolationLevel: 'repeatable read', accessMode: 'read write' });
  same((await db.select({ n: author.name }).from(author).orderBy(author.name)).map((r) => r.n), ['ann', 'bob', 'kept']);
});
await check(d, 'errors', async () => {
  const e = await db.insert(author).values({ name: 'ann' }).catch((x) => x);
  same([e.cause.code, e.cause.constraint], ['23505', 'author_name_unique']);
});
await clean();
await pool.end();
await rm(folder, { recursive: true });
finish();
