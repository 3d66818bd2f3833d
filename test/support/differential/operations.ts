import fc from 'fast-check';
import type { Json } from './contract.js';

/**
 * One step of a history. Revisions in requests may be written `now-3` or `compact+1`: they are filled in when the step
 * is taken, so that a part of a history means the same as in the whole.
 */
export type Operation =
  | { do: 'call'; rpc: string; req: Json }
  /** The request cut off behind so many bytes, or with one byte exchanged. */
  | { do: 'cut'; rpc: string; req: Json; at: number; flip: number }
  /** A lease that ends too soon to be kept: granted, looked at and revoked. */
  | { do: 'brief lease'; id: string; ttl: string }
  | { do: 'renew'; id: string }
  | { do: 'watch'; stream: number; req: Json }
  | { do: 'watch bytes'; stream: number; hex: string }
  | { do: 'reopen'; stream: number };

export const STREAMS = 3;

/** Few keys, so that histories meet; some are prefixes of others, some have bytes above 0x7f. */
const KEYS = ['a', 'aa', 'ab', 'b', 'b\0', 'c', 'd\xff', 'e', '\xff', '\xff\xff'];

const key = fc.oneof({ weight: 40, arbitrary: fc.constantFrom(...KEYS) }, fc.constantFrom('', '\0'));
const rangeEnd = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KEYS) },
  { weight: 3, arbitrary: fc.constant('\0') },
  { weight: 1, arbitrary: fc.constant('') },
);
const value = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('', '1', '2', '\xff\0', 'x'.repeat(60)) },
  fc.constantFrom('y'.repeat(300)),
);
const LEASES = ['1', '2', '3', '-5', '7587824601238475001'];
const lease = fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...LEASES) }, fc.constantFrom('9', '0'));
const extreme = fc.constantFrom(
  '9223372036854775807',
  '-9223372036854775808',
  '9007199254740993',
  '-9007199254740993',
  '-1',
);
const revision = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -1, max: 14 }).map((n) => back('now', n)) },
  { weight: 3, arbitrary: fc.integer({ min: -1, max: 1 }).map((n) => back('compact', n)) },
  { weight: 1, arbitrary: extreme },
);
const filter = fc.oneof({ weight: 12, arbitrary: revision }, fc.integer({ min: 0, max: 6 }).map(String));
const limit = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: -1, max: 6 }).map(String) }, extreme);
const yes = fc.constant(true);

function back(from: string, n: number): string {
  return n === 0 ? from : n < 0 ? `${from}+${-n}` : `${from}-${n}`;
}

/** A field that is there once in `n` requests. */
function once<T>(n: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: n - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

/** Without the fields that are not there. */
function message(fields: { [name: string]: fc.Arbitrary<unknown> }): fc.Arbitrary<Json> {
  return fc
    .record(fields)
    .map((req) => Object.fromEntries(Object.entries(req).filter(([, field]) => field !== undefined)));
}

const range = message({
  key,
  range_end: once(2, rangeEnd).chain((end) => (end === undefined ? once(3, rangeEnd) : fc.constant(end))),
  limit: once(3, limit),
  revision: once(2, revision),
  // Not the unknown ones: a real etcd 3.5 does not survive them (test/testdata/rpc/kv.txt).
  sort_order: once(2, fc.integer({ min: 0, max: 2 })),
  sort_target: once(2, fc.integer({ min: 0, max: 4 })),
  serializable: once(3, yes),
  keys_only: once(5, yes),
  count_only: once(7, yes),
  min_mod_revision: once(6, filter),
  max_mod_revision: once(6, filter),
  min_create_revision: once(6, filter),
  max_create_revision: once(6, filter),
});

const put = message({
  key,
  value: once(8, fc.constant(undefined)).chain(() => value),
  lease: once(3, lease),
  prev_kv: once(3, yes),
  ignore_value: once(8, yes),
  ignore_lease: once(8, yes),
}).chain((req) =>
  // Most of those that ignore a field do not give it.
  fc.integer({ min: 0, max: 9 }).map((n) => {
    const { value: given, lease: attached, ...rest } = req;
    return {
      ...rest,
      ...(req.ignore_value === true && n > 0 ? {} : { value: given }),
      ...((req.ignore_lease === true && n !== 1) || attached === undefined ? {} : { lease: attached }),
    };
  }),
);

const deleteRange = message({ key, range_end: once(3, rangeEnd), prev_kv: once(3, yes) });

const UNIONS = ['version', 'create_revision', 'mod_revision', 'value', 'lease'];
const compare = fc
  .record({
    result: fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 0, max: 3 }) }, fc.constantFrom(4, -1)),
    target: fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 0, max: 4 }) }, fc.constantFrom(5, -1)),
    key,
    range_end: once(4, rangeEnd),
    union: once(12, fc.constantFrom(-1, 0, 1, 2, 3, 4)),
    number: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 0, max: 6 }).map(String) }, revision, extreme, lease),
    value,
  })
  .map(({ union, number, value: bytes, range_end, ...rest }) => {
    const name = UNIONS[union ?? rest.target];
    return {
      ...rest,
      ...(range_end === undefined ? {} : { range_end }),
      ...(name === undefined ? {} : { [name]: name === 'value' ? bytes : number }),
    };
  });

const txn: fc.Arbitrary<Json> = fc.letrec<{ txn: Json; op: Json }>((tie) => ({
  txn: fc.record({
    compare: fc.array(compare, { maxLength: 3 }),
    success: fc.array(tie('op'), { maxLength: 4 }),
    failure: fc.array(tie('op'), { maxLength: 3 }),
  }),
  op: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 30, arbitrary: range.map((request_range) => ({ request_range })) },
    { weight: 60, arbitrary: put.map((request_put) => ({ request_put })) },
    { weight: 30, arbitrary: deleteRange.map((request_delete_range) => ({ request_delete_range })) },
    { weight: 1, arbitrary: fc.constant({}) },
    { weight: 15, arbitrary: tie('txn').map((request_txn) => ({ request_txn })) },
  ),
})).txn;

/** At and above the limit of operations, nested and not. */
const longTxn: fc.Arbitrary<Json> = fc
  .record({
    outer: fc.constantFrom(1, 64, 120, 127, 128, 129, 200),
    inner: fc.constantFrom(0, 1, 8, 64, 127, 128, 129),
    twice: fc.boolean(),
    where: fc.constantFrom('success', 'failure', 'compare'),
  })
  .map(({ outer, inner, twice, where }) => {
    const gets = (n: number) => Array.from({ length: n }, () => ({ request_range: { key: 'a', count_only: true } }));
    const nested = { request_txn: { success: gets(inner) } };
    const ops = [...gets(outer), ...(inner > 0 ? [nested] : []), ...(twice ? [nested] : [])];
    return where === 'compare'
      ? { compare: Array.from({ length: outer }, () => ({ key: 'a', version: '0' })) }
      : { [where]: ops, ...(where === 'failure' ? { compare: [{ key: 'a', version: '-1', result: 0 }] } : {}) };
  });

const TTLS = ['100', '1000', '10000', '100000'];
const grant = message({
  ID: once(10, fc.constant('0')).chain((zero) => (zero === undefined ? lease : fc.constant(zero))),
  TTL: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...TTLS) },
    fc.constantFrom('9000000000', '9000000001', '9223372036854775807'),
  ),
}).filter((req) => req.ID !== '0');

const call = (rpc: string, req: fc.Arbitrary<Json>): fc.Arbitrary<Operation> =>
  req.map((of) => ({ do: 'call', rpc, req: of }));

const watchId = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 4 }).map(String) }, extreme);
const createWatch = message({
  key,
  range_end: once(2, rangeEnd),
  start_revision: once(
    4,
    fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: -3, max: 30 }).map((n) => back('now', n)) },
      { weight: 2, arbitrary: fc.integer({ min: -1, max: 1 }).map((n) => back('compact', n)) },
      { weight: 1, arbitrary: extreme },
    ),
  ),
  prev_kv: once(3, yes),
  filters: once(4, fc.array(fc.constantFrom(0, 0, 1, 1, 2, 77, -1), { maxLength: 2 })),
  progress_notify: once(8, yes),
  fragment: once(6, yes),
  watch_id: once(4, watchId),
}).map((create_request) => ({ create_request }));
const watchRequest = fc.oneof(
  { weight: 10, arbitrary: createWatch },
  { weight: 4, arbitrary: watchId.map((id) => ({ cancel_request: { watch_id: id } })) },
  { weight: 3, arbitrary: fc.constant({ progress_request: {} }) },
  { weight: 1, arbitrary: fc.constant({}) },
);
const stream = fc.integer({ min: 0, max: STREAMS - 1 });

/** What a garbled request may do when it is still one: nothing that one side alone remembers. */
const harmless = fc.oneof(
  range.map((req) => ({ rpc: 'KV/Range', req })),
  fc.record({ revision }).map((req) => ({ rpc: 'Maintenance/HashKV', req })),
  lease.map((ID) => ({ rpc: 'Lease/LeaseTimeToLive', req: { ID } })),
);
const anyRpc = fc.oneof(
  harmless,
  put.map((req) => ({ rpc: 'KV/Put', req })),
  deleteRange.map((req) => ({ rpc: 'KV/DeleteRange', req })),
  txn.map((req) => ({ rpc: 'KV/Txn', req })),
  lease.map((ID) => ({ rpc: 'Lease/LeaseRevoke', req: { ID } })),
);
const cut: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ of: anyRpc, at: fc.nat(200) }).map(({ of, at }) => ({ do: 'cut' as const, ...of, at, flip: 0 })),
  fc
    .record({ of: harmless, at: fc.nat(200), flip: fc.integer({ min: 1, max: 255 }) })
    .map(({ of, at, flip }) => ({ do: 'cut' as const, ...of, at, flip })),
);

export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 220, arbitrary: call('KV/Put', put) },
  { weight: 60, arbitrary: call('KV/DeleteRange', deleteRange) },
  { weight: 240, arbitrary: call('KV/Range', range) },
  { weight: 240, arbitrary: call('KV/Txn', txn) },
  { weight: 6, arbitrary: call('KV/Txn', longTxn) },
  {
    weight: 14,
    arbitrary: call(
      'KV/Compact',
      message({
        revision: fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: -1, max: 12 }).map((n) => back('now', n)) },
          { weight: 1, arbitrary: fc.constantFrom('compact', '0', '-1', '9223372036854775807') },
        ),
        physical: once(2, yes),
      }),
    ),
  },
  {
    weight: 20,
    arbitrary: call('Maintenance/HashKV', message({ revision: once(8, revision) })),
  },
  { weight: 40, arbitrary: call('Lease/LeaseGrant', grant) },
  { weight: 30, arbitrary: call('Lease/LeaseRevoke', message({ ID: lease })) },
  { weight: 20, arbitrary: call('Lease/LeaseTimeToLive', message({ ID: lease, keys: once(2, yes) })) },
  { weight: 10, arbitrary: call('Lease/LeaseLeases', fc.constant({})) },
  {
    weight: 5,
    arbitrary: fc
      .record({
        id: fc.constantFrom('0', '77', '-77', ...LEASES),
        ttl: fc.constantFrom('0', '-1', '1', '2', '3', '9000000000', '9000000001', '-9223372036854775808'),
      })
      .map((of) => ({ do: 'brief lease' as const, ...of })),
  },
  { weight: 12, arbitrary: lease.map((id) => ({ do: 'renew' as const, id })) },
  { weight: 40, arbitrary: fc.record({ do: fc.constant('watch' as const), stream, req: watchRequest }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('watch bytes' as const),
      stream,
      hex: fc.constantFrom('0a', '0aff', '0a020a05', '08', 'ffffffffffffffffffff01', '0a0322', '1a0108', '07'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('reopen' as const), stream }) },
  { weight: 30, arbitrary: cut },
);

const REVISION_FIELDS = new Set([
  ...['revision', 'start_revision', 'mod_revision', 'create_revision'],
  ...['min_mod_revision', 'max_mod_revision', 'min_create_revision', 'max_create_revision'],
]);

/** The request with its revisions filled in. */
export function resolve(value: unknown, now: number, compact: number, name = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => resolve(one, now, compact, name));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([field, of]) => [field, resolve(of, now, compact, field)]));
  }
  if (typeof value !== 'string') return value;
  const match = /^(now|compact)([+-]\d+)?$/.exec(value);
  // A compare's operand may be one in any of its fields.
  if (match === null || !(REVISION_FIELDS.has(name) || name === 'version' || name === 'lease')) return value;
  return String((match[1] === 'now' ? now : compact) + Number(match[2] ?? 0));
}
