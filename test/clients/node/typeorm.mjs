// TypeORM: entities that become tables, and are compared with them again; rows,
// relations, transactions, migrations, streams.
import 'reflect-metadata';
import { DataSource, EntitySchema, In, MoreThan, QueryFailedError } from 'typeorm';
import { check, dsn, finish, same, undone } from './checks.mjs';

const d = 'typeorm';
const author = (extra) => new EntitySchema({
  name: 'to_author',
  columns: {
    id: { type: 'int', primary: true, generated: 'increment' },
    name: { type: 'varchar', length: 40, unique: true },
    kind: { type: 'enum', enum: ['a', 'b'], enumName: 'to_kind', default: 'a' },
    tags: { type: 'text', array: true, default: () => "'{}'" },
    data: { type: 'jsonb', nullable: true },
    born: { type: 'date', nullable: true },
    created: { type: 'timestamptz', createDate: true },
    version: { type: 'int', version: true },
    ...extra,
  },
  relations: { books: { type: 'one-to-many', target: 'to_book', inverseSide: 'author' } },
});
const book = new EntitySchema({
  name: 'to_book',
  columns: {
    id: { type: 'uuid', primary: true, generated: 'uuid' },
    title: { type: 'text', comment: 'as printed' },
    price: { type: 'numeric', precision: 8, scale: 2, default: () => '1.5' },
    pages: { type: 'smallint', default: 0 },
    sold: { type: 'bigint', nullable: true },
    deleted: { type: 'timestamptz', deleteDate: true, nullable: true },
  },
  relations: {
    author: { type: 'many-to-one', target: 'to_author', inverseSide: 'books', onDelete: 'CASCADE', joinColumn: { name: 'author_id' } },
    shelves: { type: 'many-to-many', target: 'to_shelf', joinTable: { name: 'to_book_shelf' } },
  },
  indices: [{ name: 'to_book_title', columns: ['title', 'pages'] }],
  uniques: [{ name: 'to_book_once', columns: ['title', 'author'] }],
  checks: [{ name: 'to_book_price', expression: '"price" >= 0' }],
});
const shelf = new EntitySchema({ name: 'to_shelf', columns: { place: { type: 'varchar', length: 10, primary: true }, room: { type: 'int' } } });
const view = new EntitySchema({
  name: 'to_counts', type: 'view',
  expression: 'SELECT a.name AS name, count(b.id) AS n FROM to_author a LEFT JOIN to_book b ON b.author_id = a.id GROUP BY a.name',
  columns: { name: { type: 'text' }, n: { type: 'bigint' } },
});

const source = (entities, more) => new DataSource({ type: 'postgres', url: dsn, entities, ...more }).initialize();

let db = await source([author(), book, shelf, view]);
await check(d, 'synchronize', async () => {
  await db.query('DROP VIEW IF EXISTS to_counts');
  await db.query('DROP TABLE IF EXISTS to_book_shelf, to_book, to_author, to_shelf, to_migrations CASCADE');
  await db.query('DROP TYPE IF EXISTS to_kind');
  await db.synchronize();
});
await check(d, 'nothing left to change', async () => {
  same((await db.driver.createSchemaBuilder().log()).upQueries.map((q) => q.query), []);
});
await check(d, 'rows', async () => {
  const authors = db.getRepository('to_author');
  const a = await authors.save({ name: 'ann', tags: ['x', 'y'], data: { a: [1, null] }, born: '1970-01-02' });
  same([a.id, a.kind, a.version, a.created instanceof Date], [1, 'a', 1, true]);
  a.kind = 'b';
  await authors.save(a);
  await authors.insert([{ name: 'bob' }, { name: 'cid' }]);
  await authors.upsert([{ name: 'cid', kind: 'b' }], ['name']);
  const got = await authors.findOneByOrFail({ name: 'ann' });
  same([got.kind, got.version, got.tags, got.data, got.born], ['b', 2, ['x', 'y'], { a: [1, null] }, '1970-01-02']);
  same(await authors.countBy({ kind: 'b' }), 2);
  same((await authors.update({ name: In(['cid']) }, { kind: 'a' })).affected, 1);
  same((await authors.delete({ name: 'cid' })).affected, 1);
});
await check(d, 'relations', async () => {
  const [ann, bob] = await db.getRepository('to_author').find({ order: { name: 'ASC' } });
  const shelves = await db.getRepository('to_shelf').save([{ place: 'A1', room: 1 }, { place: 'B2', room: 2 }]);
  const books = db.getRepository('to_book');
  await books.save([
    { title: 'one', author: ann, price: 2.25, sold: '9007199254740993', shelves },
    { title: 'two', author: ann, pages: 7 },
    { title: 'three', author: bob, pages: 9, shelves: [shelves[1]] }]);
  const [one] = await books.find({ where: { title: 'one' }, relations: { author: true, shelves: true } });
  same([one.author.name, one.price, one.sold, one.shelves.map((s) => s.place).sort()], ['ann', '2.25', '9007199254740993', ['A1', 'B2']]);
  const some = await books.find({ where: { author: { name: 'ann' }, pages: MoreThan(1) } });
  same(some.map((b) => b.title), ['two']);
  // with relations TypeORM pages through distinct keys
  const page = await books.find({ relations: { shelves: true }, order: { title: 'ASC' }, skip: 1, take: 1 });
  same(page.map((b) => [b.title, b.shelves.length]), [['three', 1]]);
  await books.softDelete({ title: 'two' });
  same([await books.count(), await books.count({ withDeleted: true })], [2, 3]);
  await books.restore({ title: 'two' });
});
await check(d, 'query builder', async () => {
  const rows = await db.getRepository('to_author').createQueryBuilder('a').leftJoin('a.books', 'b')
    .select('a.name', 'name').addSelect('count(b.id)', 'n').addSelect('sum(b.price)', 'total').groupBy('a.name').having('count(b.id) > :n', { n: 0 }).orderBy('a.name').getRawMany();
  same(rows, [{ name: 'ann', n: '2', total: '3.75' }, { name: 'bob', n: '1', total: '1.50' }]);
  const { raw } = await db.createQueryBuilder().update('to_book').set({ pages: () => 'pages + 1' }).where('title = :t', { t: 'two' }).returning('pages').execute();
  same(raw, [{ pages: 8 }]);
  same(await db.getRepository('to_counts').find({ order: { name: 'ASC' } }), [{ name: 'ann', n: '2' }, { name: 'bob', n: '1' }]);
});
await check(d, 'transactions', async () => {
  await undone(db.transaction(async (m) => { await m.insert('to_author', { name: 'gone' }); throw new Error('undo'); }));
  await db.transaction('SERIALIZABLE', async (m) => {
    await m.insert('to_author', { name: 'kept' });
    await undone(m.transaction(async (n) => { await n.insert('to_author', { name: 'gone' }); throw new Error('undo'); }));
    same((await m.find('to_author', { where: { name: 'ann' }, lock: { mode: 'pessimistic_write' } })).length, 1);
  });
  same((await db.getRepository('to_author').find({ order: { name: 'ASC' } })).map((a) => a.name), ['ann', 'bob', 'kept']);
});
await check(d, 'errors', async () => {
  const e = await db.getRepository('to_author').insert({ name: 'ann' }).catch((x) => x);
  same([e instanceof QueryFailedError, e.driverError.code, e.driverError.table], [true, '23505', 'to_author']);
});
await check(d, 'stream', async () => {
  const q = db.createQueryRunner();
  const titles = [];
  for await (const r of await q.stream('SELECT title FROM to_book ORDER BY title')) titles.push(r.title);
  await q.release();
  same(titles, ['one', 'three', 'two']);
});
await db.destroy();

db = await source([author({ size: { type: 'int', default: 3 }, tags: { type: 'text', array: true, nullable: true }, kind: { type: 'enum', enum: ['a', 'b', 'c'], enumName: 'to_kind', default: 'b' } }), book, shelf, view]);
await check(d, 'synchronize what changed', async () => {
  await db.synchronize();
  same((await db.driver.createSchemaBuilder().log()).upQueries.map((q) => q.query), []);
  const { size } = await db.getRepository('to_author').findOneByOrFail({ name: 'ann' });
  same(size, 3);
});
await check(d, 'reflection', async () => {
  const q = db.createQueryRunner();
  const t = await q.getTable('to_book');
  await q.release();
  same(t.columns.map((c) => [c.name, c.type, c.isNullable]), [['id', 'uuid', false], ['title', 'text', false], ['price', 'numeric', false], ['pages', 'smallint', false],
    ['sold', 'bigint', true], ['deleted', 'timestamp with time zone', true], ['author_id', 'integer', true]]);
  same([t.foreignKeys.map((k) => [k.referencedTableName.split('.').pop(), k.onDelete]), t.uniques.map((u) => u.columnNames.sort()), t.checks.length, t.indices.map((i) => i.columnNames)],
    [[['to_author', 'CASCADE']], [['author_id', 'title']], 1, [['title', 'pages']]]);
});
await db.destroy();

class First1700000000000 {
  async up(q) {
    await q.query('ALTER TABLE to_shelf ADD COLUMN wood text NOT NULL DEFAULT \'oak\'');
    await q.renameColumn('to_shelf', 'room', 'chamber');
  }

  async down(q) {
    await q.renameColumn('to_shelf', 'chamber', 'room');
    await q.dropColumn('to_shelf', 'wood');
  }
}
db = await source([], { migrations: [First1700000000000], migrationsTableName: 'to_migrations' });
await check(d, 'migrations', async () => {
  same((await db.runMigrations()).length, 1);
  same(await db.query('SELECT chamber, wood FROM to_shelf ORDER BY 1'), [{ chamber: 1, wood: 'oak' }, { chamber: 2, wood: 'oak' }]);
  same(await db.showMigrations(), false);
  await db.undoLastMigration();
  same(await db.query('SELECT * FROM to_shelf ORDER BY 1'), [{ place: 'A1', room: 1 }, { place: 'B2', room: 2 }]);
});
await db.query('DROP VIEW to_counts');
await db.query('DROP TABLE to_book_shelf, to_book, to_author, to_shelf, to_migrations CASCADE');
await db.query('DROP TYPE to_kind');
await db.destroy();
finish();
