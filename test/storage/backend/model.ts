import fc from 'fast-check';
import type { SimLevelOptions } from '../../../src/sim/store.js';
import type { BackendCursor, BackendOptions, StoredBackend } from '../../../src/storage/backend/index.js';
import { Bucket, openBackend } from '../../../src/storage/backend/index.js';
import type { KvRow } from '../../../src/util/env.js';
import { SimWorld } from '../support/sim-world.js';

/*
 * A plain Map beside a StoredBackend on a simulated LevelDB that loses power. The model keeps every state at the end
 * of an apply; what a crash leaves must be exactly one of them, not older than the last one acknowledged as flushed,
 * with its own index (museum 19), and everything readable must be as the Map has it at all times (museum 34).
 */
export type Command =
  | { do: 'put'; bucket: Bucket; key: string; bytes: number }
  | { do: 'del'; bucket: Bucket; key: string }
  | { do: 'apply' }
  | { do: 'local' }
  | { do: 'flush' }
  | { do: 'run'; us: number }
  | { do: 'read' }
  | { do: 'scan'; gte: string; lt: string; n: number }
  | { do: 'defragment' }
  | { do: 'crash' }
  | { do: 'kill' }
  | { do: 'restart' };

const bucket = fc.constantFrom<Bucket>(Bucket.key, Bucket.lease, Bucket.meta);
const key = fc.constantFrom('a', 'b', 'b\x00', 'c', 'd', '\xff', '\xfe\xff');
const weighted = (weight: number, arbitrary: fc.Arbitrary<Command>) => ({ weight, arbitrary });

export const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    weighted(12, fc.record({ do: fc.constant('put' as const), bucket, key, bytes: fc.integer({ min: 0, max: 60 }) })),
    weighted(5, fc.record({ do: fc.constant('del' as const), bucket, key })),
    weighted(10, fc.constant({ do: 'apply' })),
    weighted(2, fc.constant({ do: 'local' })),
    weighted(4, fc.constant({ do: 'flush' })),
    weighted(8, fc.record({ do: fc.constant('run' as const), us: fc.integer({ min: 1, max: 20_000 }) })),
    weighted(2, fc.constant({ do: 'read' })),
    weighted(3, fc.record({ do: fc.constant('scan' as const), gte: key, lt: key, n: fc.integer({ min: 1, max: 4 }) })),
    weighted(1, fc.constant({ do: 'defragment' })),
    weighted(2, fc.constant({ do: 'crash' })),
    weighted(1, fc.constant({ do: 'kill' })),
    weighted(1, fc.constant({ do: 'restart' })),
  ),
  { minLength: 10, maxLength: 120, size: 'max' },
);

interface State {
  readonly index: number;
  readonly rows: ReadonlyMap<string, string>;
}

export interface ModelOptions {
  seed: number;
  sim?: Partial<SimLevelOptions>;
  backend?: Partial<BackendOptions>;
  /** The store may lose acknowledged flushes; then it must say ERR_HOLE, or be the state at some earlier apply. */
  lossy?: boolean;
}

const BUCKETS = [Bucket.key, Bucket.meta, Bucket.lease] as const;
const INDEX_KEYS = new Set([id(Bucket.meta, 'consistent_index'), id(Bucket.meta, 'term')]);

/**
 * @throws Error if the backend is not as the model
 * @returns true if the run ended early because the backend found a hole in a lossy store
 */
export function runModel(list: Command[], { seed, sim, backend: options, lossy = false }: ModelOptions): boolean {
  const world = new SimWorld(seed, { writeBufferBytes: 600, ...sim });
  let backend: StoredBackend;
  let states: State[] = [{ index: 0, rows: new Map() }];
  let now = new Map<string, string>();
  let values = 0;
  /** Number of the state that is known to be durable. */
  let acked = 0;

  const open = (): void => {
    backend = world.wait<StoredBackend>((cb) =>
      openBackend(
        world.env,
        '/m/keel',
        { paranoid: true, sliceRows: 3, flushMs: 3, flushBytes: 3000, numbersMax: 4, ...options },
        cb,
      ),
    );
    backend.onError = (err) => {
      throw err;
    };
  };

  const reopen = (): void => {
    open();
    const found = dump(world, backend);
    const at = states.findIndex(
      (s, i) => (lossy || i >= acked) && s.index === backend.appliedIndex && equal(s.rows, found.rows),
    );
    if (at < 0) {
      throw new Error(
        `after a crash: index ${backend.appliedIndex} with ${show(found.rows)}, which is none of\n` +
          states.map((s, i) => `${i}${i === acked ? ' (acknowledged)' : ''}: ${s.index} ${show(s.rows)}`).join('\n'),
      );
    }
    if (found.index !== backend.appliedIndex) throw new Error(`row consistent_index is ${found.index}`);
    states = [states[at]!];
    acked = 0;
    now = new Map(states[0]!.rows);
    checkCounters(backend, now);
  };

  const flush = (): void => {
    const closed = states.length - 1;
    const of = states;
    backend.flush((err) => {
      if (err !== null) throw err;
      if (of === states) acked = Math.max(acked, closed);
    });
  };
  const close = (index: number): void => {
    backend.setApplied(index, 1);
    states.push({ index, rows: new Map(now) });
  };

  open();
  for (const c of list) {
    switch (c.do) {
      case 'put': {
        const value = `${++values}:${'x'.repeat(c.bytes)}`;
        const fresh = !now.has(id(c.bucket, c.key)) && values % 2 === 0;
        backend!.put(c.bucket, bytes(c.key), bytes(value), fresh);
        now.set(id(c.bucket, c.key), value);
        break;
      }
      case 'del': {
        const old = now.get(id(c.bucket, c.key));
        backend!.del(c.bucket, bytes(c.key), old !== undefined && values % 2 === 0 ? old.length : undefined);
        now.delete(id(c.bucket, c.key));
        break;
      }
      case 'apply':
        close(backend!.appliedIndex + 1);
        break;
      case 'local':
        close(backend!.appliedIndex);
        break;
      case 'flush':
        // Of an apply that is open nothing is promised yet.
        close(backend!.appliedIndex + 1);
        flush();
        break;
      case 'run':
        world.runFor(c.us);
        break;
      case 'read':
        for (const b of BUCKETS) checkReads(backend!, b, now);
        break;
      case 'scan':
        checkScan(world, backend!, c.gte, c.lt, c.n, now);
        break;
      case 'defragment':
        backend!.defragment();
        break;
      case 'crash':
        world.crash();
        try {
          reopen();
        } catch (err) {
          if (lossy && (err as { code?: string }).code === 'ERR_HOLE') return true;
          throw err;
        }
        break;
      case 'kill':
        world.kill();
        reopen();
        break;
      case 'restart': {
        // An apply that is cut short by close is dropped, and with it whatever was not flushed before.
        close(backend!.appliedIndex + 1);
        const closing = states.length - 1;
        world.wait<void>((cb) => backend.close(cb));
        acked = closing;
        reopen();
        break;
      }
    }
    checkCounters(backend!, now);
  }
  return false;
}

function dump(world: SimWorld, backend: StoredBackend): { rows: Map<string, string>; index: number } {
  const rows = new Map<string, string>();
  let index = 0;
  for (const b of BUCKETS) {
    for (const [k, v] of drain(world, backend.scan(b, Buffer.alloc(1), Buffer.from([255, 255, 255])), 5)) {
      if (INDEX_KEYS.has(id(b, k.toString('latin1')))) {
        if (k.toString() === 'consistent_index') index = Number(v.readBigUInt64BE());
      } else {
        rows.set(id(b, k.toString('latin1')), v.toString('latin1'));
      }
    }
  }
  return { rows, index };
}

function drain(world: SimWorld, cursor: BackendCursor, n: number): KvRow[] {
  const out: KvRow[] = [];
  for (;;) {
    const some = world.wait<KvRow[]>((cb) => cursor.next(n, cb));
    if (some.length > n) throw new Error(`${some.length} rows where ${n} were asked for`);
    if (some.length === 0) break;
    out.push(...some);
  }
  cursor.close();
  return out;
}

function checkReads(backend: StoredBackend, b: Bucket, now: ReadonlyMap<string, string>): void {
  for (const k of ['a', 'b', 'b\x00', 'c', 'd', '\xff', '\xfe\xff']) {
    const got = backend.get(b, bytes(k))?.toString('latin1');
    if (got !== now.get(id(b, k))) throw new Error(`get ${b}/${k}: ${got}, not ${now.get(id(b, k))}`);
    const peeked = backend.peek(b, bytes(k));
    if (peeked !== undefined && peeked?.toString('latin1') !== now.get(id(b, k))) throw new Error(`peek ${b}/${k}`);
  }
}

/** The scan's answers come over some milliseconds, in which the backend flushes: it must not see that. */
function checkScan(
  world: SimWorld,
  backend: StoredBackend,
  gte: string,
  lt: string,
  n: number,
  now: ReadonlyMap<string, string>,
): void {
  const cursor = backend.scan(Bucket.key, bytes(gte), bytes(lt));
  const got = drain(world, cursor, n).map(([k, v]) => `${k.toString('latin1')}=${v.toString('latin1')}`);
  const expected = [...now]
    .filter(([at]) => at >= id(Bucket.key, gte) && at < id(Bucket.key, lt))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([at, v]) => `${at.slice(1)}=${v}`);
  if (JSON.stringify(got) !== JSON.stringify(expected)) {
    throw new Error(`scan of [${gte}, ${lt}): ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`);
  }
}

function checkCounters(backend: StoredBackend, now: ReadonlyMap<string, string>): void {
  let size = 20480;
  let count = now.size;
  for (const [at, v] of now) size += at.length - 1 + v.length + 16;
  if (backend.appliedIndex > 0) {
    size += 16 + 8 + 16 + 4 + 8 + 16;
    count += 2;
  }
  if (backend.sizeInUse !== size || backend.rowCount !== count) {
    throw new Error(`sizeInUse ${backend.sizeInUse}, not ${size}; rowCount ${backend.rowCount}, not ${count}`);
  }
  if (backend.size < size) throw new Error(`size ${backend.size} below ${size}`);
}

function id(b: Bucket, k: string): string {
  return String.fromCharCode(b) + k;
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function equal(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [k, v] of a) if (b.get(k) !== v) return false;
  return true;
}

function show(rows: ReadonlyMap<string, string>): string {
  return JSON.stringify([...rows].sort().map(([k, v]) => `${k.charCodeAt(0)}/${k.slice(1)}=${v.slice(0, 6)}`));
}
