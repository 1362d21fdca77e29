// What the programs of the ORMs share: a line for each check, exit status 1
// when one failed.
export const dsn = process.env.CLIENTS_DSN;
let failed = false;

export function same(got, want) {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)];
  if (g !== w) throw new Error(`got ${g}, want ${w}`);
}

export async function check(driver, name, f) {
  try {
    await f();
    console.log(`ok   ${driver} ${name}`);
  } catch (e) {
    failed = true;
    console.log(`FAIL ${driver} ${name}: ${e.code ?? e.parent?.code ?? e.cause?.code ?? ''} ${String(e.message).replace(/\s+/g, ' ')} ${e.query ?? ''}`.trimEnd());
    if (process.env.CLIENTS_TRACE) console.error(e);
  }
}

// undone waits for a transaction that ends with the error "undo".
export function undone(p) {
  return p.then(() => { throw new Error('no error'); }, (e) => same(e.message, 'undo'));
}

export function finish() {
  process.exit(failed ? 1 : 0);
}
