// The ORMs knex and Sequelize: schema, rows, transactions, reflection. A line
// for each check, exit status 1 when one failed.
import knex from 'knex';
import { DataTypes, Sequelize } from 'sequelize';
import { check, dsn, finish, same } from './checks.mjs';

async function onKnex() {
  const d = 'knex';
  const db = knex({ client: 'pg', connection: dsn });
  await check(d, 'create table', async () => {
    await db.schema.dropTableIfExists('orm_knex');
    await db.schema.createTable('orm_knex', (t) => {
      t.increments('id');
      t.string('name').notNullable();
      t.decimal('price', 8, 2);
      t.timestamp('at', { useTz: true }).defaultTo(db.fn.now());
      t.jsonb('data');
    });
  });
  await check(d, 'rows', async () => {
    const [row] = await db('orm_knex').insert({ name: 'a', price: 1.5, data: { a: [1] } }).returning('*');
    same([row.id, row.name, row.price, row.data], [1, 'a', '1.50', { a: [1] }]);
    await db('orm_knex').where({ id: 1 }).update({ name: 'b' });
    await db('orm_knex').insert({ id: 1, name: 'c' }).onConflict('id').merge(['name']);
    same((await db('orm_knex').first()).name, 'c');
    await db('orm_knex').insert([{ name: 'd' }, { name: 'e' }]);
    same(await db('orm_knex').whereIn('name', ['d', 'e']).del(), 2);
  });
  await check(d, 'transaction', async () => {
    await db.transaction(async (tx) => { await tx('orm_knex').insert({ name: 'gone' }); throw new Error('undo'); }).catch((e) => same(e.message, 'undo'));
    same(Number((await db('orm_knex').count('* as n').first()).n), 1);
  });
  await check(d, 'columns', async () => {
    const c = await db('orm_knex').columnInfo();
    same([Object.keys(c), c.name.type, c.name.nullable, c.name.maxLength], [['id', 'name', 'price', 'at', 'data'], 'character varying', false, 255]);
    same(await db.schema.hasTable('orm_knex'), true);
    same(await db.schema.hasColumn('orm_knex', 'price'), true);
  });
  await check(d, 'alter table', () => db.schema.alterTable('orm_knex', (t) => { t.integer('extra'); t.index(['name']); t.dropColumn('price'); }));
  await db.destroy();
}

async function onSequelize() {
  const d = 'sequelize';
  const db = new Sequelize(dsn, { logging: false });
  const User = db.define('orm_user', { name: { type: DataTypes.STRING, unique: true }, age: DataTypes.INTEGER, data: DataTypes.JSONB });
  const Post = db.define('orm_post', { title: DataTypes.STRING });
  User.hasMany(Post);
  Post.belongsTo(User);
  await check(d, 'sync', () => db.sync({ force: true }));
  await check(d, 'rows', async () => {
    const u = await User.create({ name: 'a', age: 3, data: { x: 1 } });
    await Post.create({ title: 'p', ormUserId: u.id });
    const [r] = await User.findAll({ include: Post });
    same([r.name, r.data, r.orm_posts.length], ['a', { x: 1 }, 1]);
    await u.update({ age: 4 });
    await User.upsert({ id: u.id, name: 'b' });
    same(await User.count({ where: { name: 'b' } }), 1);
    await Post.destroy({ where: {} });
  });
  await check(d, 'transaction', async () => {
    await db.transaction(async (transaction) => { await User.create({ name: 'gone' }, { transaction }); throw new Error('undo'); }).catch((e) => same(e.message, 'undo'));
    same(await User.count(), 1);
  });
  await check(d, 'unique', () => User.create({ name: 'b' }).then(() => { throw new Error('no error'); }, (e) => same(e.name, 'SequelizeUniqueConstraintError')));
  await check(d, 'reflection', async () => {
    const q = db.getQueryInterface();
    const c = await q.describeTable('orm_users');
    same([c.id.primaryKey, c.name.type, c.age.allowNull], [true, 'CHARACTER VARYING(255)', true]);
    same((await q.showIndex('orm_users')).map((i) => i.primary).sort(), [false, true]);
    same((await q.showAllTables()).includes('orm_users'), true);
  });
  await db.close();
}

await onKnex();
await onSequelize();
finish();
