import type { Codec, Permission, Rpc, TxnRequest, WatchRequest } from '../../../src/wire/index.js';
import {
  AlarmRequest,
  Auth,
  Cluster,
  Compare,
  DeleteRangeRequest,
  KV,
  Lease,
  Maintenance,
  makeRequestOp,
  OpKind,
  PermissionType,
  PutRequest,
  RangeRequest,
  TxnRequest as Txn,
  UserAddOptions,
  Watch,
  WatchCreateRequest,
  WatchKind,
} from '../../../src/wire/index.js';
import type { AuthCaller, Outcome } from './caller.js';

/** One line a call: who, what, and what came of it. The same calls to Keel and to etcd are to give the same lines. */
export class Story {
  readonly lines: string[] = [];
  readonly caller: AuthCaller;

  readonly #settled: (() => Promise<void>) | null;

  constructor(caller: AuthCaller, settled: (() => Promise<void>) | null = null) {
    this.caller = caller;
    this.#settled = settled;
  }

  async step<Req, Res>(
    user: string | null,
    rpc: Rpc<Req, Res>,
    request: Partial<Req> = {},
    what = plain(request),
  ): Promise<Outcome<Res>> {
    if (user === 'root') await this.#settled?.();
    const outcome = await this.caller.call(rpc, request, user);
    this.#line(`${user ?? '-'} ${rpc.name} ${what}`, outcome);
    return outcome;
  }

  async stream<Req, Res>(user: string | null, rpc: Rpc<Req, Res>, request: Partial<Req>, what: string): Promise<void> {
    this.#line(`${user ?? '-'} ${rpc.name} ${what}`, await this.caller.first(rpc, request, user));
  }

  async login(user: string, password: string): Promise<void> {
    this.lines.push(`login ${user}: ${await this.caller.login(user, password)}`);
  }

  #line(what: string, outcome: Outcome<unknown>): void {
    this.lines.push(`${what}: ${outcome.ok ? `OK ${plain(outcome.value)}`.trim() : outcome.text}`);
  }
}

const HIDDEN = new Set([
  'header',
  'token',
  'hash',
  'members',
  'blob',
  'remainingBytes',
  'ttl',
  'grantedTtl',
  'version',
]);

/** A message in short: what is zero or differs from run to run is left out. */
function plain(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const shown = Object.entries(value).filter(
    ([name, v]) => !HIDDEN.has(name) && v !== '' && v !== 0 && v !== 0n && v !== false && v !== null,
  );
  const text = shown
    .filter(([, v]) => !Array.isArray(v) || v.length > 0)
    .map(([name, v]) => `${name}=${Array.isArray(v) ? `[${v.map(one).join(' ')}]` : one(v)}`);
  return text.join(' ');
}

function one(value: unknown): string {
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString('latin1'));
  if (typeof value === 'object' && value !== null) return `{${plain(value)}}`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

export const { READ, WRITE, READWRITE } = PermissionType;

export const perm = (permType: number, key: string, rangeEnd = ''): Permission => ({ permType, key, rangeEnd });
export const put = (key: string, more: Partial<PutRequest> = {}): PutRequest =>
  make(PutRequest, { key, value: Buffer.from('v'), ...more });
export const range = (key: string, rangeEnd = ''): RangeRequest => make(RangeRequest, { key, rangeEnd });
export const del = (key: string, rangeEnd = '', prevKv = false): DeleteRangeRequest =>
  make(DeleteRangeRequest, { key, rangeEnd, prevKv });
export const putOp = (request: PutRequest) => makeRequestOp(OpKind.PUT, request);
export const rangeOp = (request: RangeRequest) => makeRequestOp(OpKind.RANGE, request);
export const deleteOp = (request: DeleteRangeRequest) => makeRequestOp(OpKind.DELETE_RANGE, request);
export const txnOp = (request: TxnRequest) => makeRequestOp(OpKind.TXN, request);
export const txn = (success: TxnRequest['success'], compare: Compare[] = [], failure: TxnRequest['failure'] = []) =>
  make(Txn, { compare, success, failure });
export const compared = (key: string, rangeEnd = ''): Compare => make(Compare, { key, rangeEnd });

function make<M>(codec: Codec<M>, fields: Partial<M>): M {
  return codec.make(fields);
}

/**
 * Every rule of the Auth service: before auth is on, by root, by others, and how it ends (etcd semantics §9.2).
 * @param settled between root's calls: etcd 3.5 refuses root now and then until the rows just written are committed
 */
export async function tellRules(caller: AuthCaller, settled: () => Promise<void> = async () => {}): Promise<string[]> {
  const s = new Story(caller, settled);
  // Off.
  await s.step(null, Auth.AuthStatus);
  await s.step(null, Auth.AuthDisable);
  await s.step(null, Auth.AuthStatus);
  await s.step(null, Auth.AuthEnable);
  await s.step(null, Auth.Authenticate, { name: 'root', password: 'r' });
  await s.step(null, Auth.UserAdd, { name: '', password: 'x' });
  await s.step(null, Auth.UserAdd, { name: 'root', password: 'r' });
  await s.step(null, Auth.AuthEnable);
  await s.step(null, Auth.UserAdd, { name: 'root', password: 'r' });
  await s.step(null, Auth.UserAdd, { name: 'long', password: 'x'.repeat(73) }, 'a password of 73 bytes');
  await s.step(null, Auth.UserAdd, { name: 'empty', password: '' });
  await s.step(null, Auth.UserAdd, { name: 'cert', options: UserAddOptions.make({ noPassword: true }) });
  await s.step(null, Auth.UserAdd, { name: 'both', password: 'b', options: UserAddOptions.make({ noPassword: true }) });
  await s.step(null, Auth.UserAdd, { name: 'alice', password: 'a', options: UserAddOptions.make({}) });
  await s.step(null, Auth.UserAdd, { name: 'bob', password: 'b' });
  await s.step(null, Auth.UserGet, { name: 'nobody' });
  await s.step(null, Auth.UserGet, { name: '' });
  await s.step(null, Auth.UserList);
  await s.step(null, Auth.UserDelete, { name: 'nobody' });
  await s.step(null, Auth.UserDelete, { name: 'both' });
  await s.step(null, Auth.UserChangePassword, { name: 'nobody', password: 'x' });
  await s.step(null, Auth.UserChangePassword, { name: 'cert', password: 'x' });
  await s.step(null, Auth.RoleAdd, { name: '' });
  await s.step(null, Auth.RoleAdd, { name: 'reader' });
  await s.step(null, Auth.RoleAdd, { name: 'reader' });
  await s.step(null, Auth.RoleAdd, { name: 'b-role' });
  await s.step(null, Auth.RoleGet, { role: 'nothing' });
  await s.step(null, Auth.RoleGet, { role: 'root' });
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader' });
  await s.step(null, Auth.RoleGrantPermission, { name: 'nothing', perm: perm(READ, 'a') });
  await s.step(null, Auth.RoleGrantPermission, { name: 'nothing', perm: perm(READ, '') });
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader', perm: perm(READ, '') });
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader', perm: perm(READ, '', '\0') }, 'an empty key, no end');
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader', perm: perm(READ, 'b', 'a') });
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader', perm: perm(READ, 'b', 'b') });
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader', perm: perm(READ, 'm', 'n') });
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader', perm: perm(READ, 'c') });
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader', perm: perm(WRITE, 'm', 'n') });
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader', perm: perm(READWRITE, 'z', '\0') });
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader', perm: perm(READ, 'm') });
  await s.step(null, Auth.RoleGrantPermission, { name: 'reader', perm: perm(9, 'q') });
  await s.step(null, Auth.RoleGet, { role: 'reader' });
  await s.step(null, Auth.RoleRevokePermission, { role: 'nothing', key: 'c' });
  await s.step(null, Auth.RoleRevokePermission, { role: 'reader', key: 'c', rangeEnd: 'd' });
  await s.step(null, Auth.RoleRevokePermission, { role: 'reader', key: 'q' });
  await s.step(null, Auth.RoleRevokePermission, { role: 'reader', key: 'm' });
  await s.step(null, Auth.UserGrantRole, { user: 'nobody', role: 'reader' });
  await s.step(null, Auth.UserGrantRole, { user: 'alice', role: 'nothing' });
  await s.step(null, Auth.UserGrantRole, { user: 'alice', role: 'reader' });
  await s.step(null, Auth.UserGrantRole, { user: 'alice', role: 'reader' });
  await s.step(null, Auth.UserGrantRole, { user: 'alice', role: 'b-role' });
  await s.step(null, Auth.UserGet, { name: 'alice' });
  await s.step(null, Auth.UserRevokeRole, { name: 'nobody', role: 'reader' });
  await s.step(null, Auth.UserRevokeRole, { name: 'bob', role: 'reader' });
  await s.step(null, Auth.UserGrantRole, { user: 'root', role: 'root' });
  await s.step(null, Auth.UserRevokeRole, { name: 'root', role: 'root' });
  await s.step(null, Auth.AuthEnable);
  await s.step(null, Auth.UserGrantRole, { user: 'root', role: 'root' });
  await s.step(null, Auth.RoleList);
  await s.step(null, Auth.AuthStatus);
  await s.step(null, Auth.AuthEnable);
  // On: who comes in.
  await s.login('nobody', 'x');
  await s.login('root', 'wrong');
  await s.login('cert', 'x');
  await s.login('empty', '');
  await s.login('root', 'r');
  await s.login('alice', 'a');
  await s.login('bob', 'b');
  await s.step('root', Auth.AuthStatus);
  await s.step('root', Auth.AuthEnable);
  await s.step(null, Auth.AuthEnable);
  // What needs root.
  for (const user of ['alice', null, 'token:nonsense', 'token:abcdefghijklmnop.7', 'token:a.b']) {
    await s.step(user, Auth.AuthStatus);
    await s.step(user, Auth.AuthDisable);
    await s.step(user, Auth.UserAdd, { name: 'x', password: 'x' });
    await s.step(user, Auth.UserAdd, { name: '', options: UserAddOptions.make({ noPassword: true }) });
    await s.step(user, Auth.UserGet, { name: 'alice' });
    await s.step(user, Auth.UserGet, { name: 'bob' });
    await s.step(user, Auth.UserGet, { name: 'nobody' });
    await s.step(user, Auth.UserList);
    await s.step(user, Auth.UserDelete, { name: 'nobody' });
    await s.step(user, Auth.UserChangePassword, { name: 'alice', password: 'x' });
    await s.step(user, Auth.UserGrantRole, { user: 'alice', role: 'root' });
    await s.step(user, Auth.UserRevokeRole, { name: 'alice', role: 'reader' });
    await s.step(user, Auth.RoleAdd, { name: '' });
    await s.step(user, Auth.RoleGet, { role: 'reader' });
    await s.step(user, Auth.RoleGet, { role: 'root' });
    await s.step(user, Auth.RoleGet, { role: 'nothing' });
    await s.step(user, Auth.RoleList);
    await s.step(user, Auth.RoleDelete, { role: 'reader' });
    await s.step(user, Auth.RoleGrantPermission, { name: 'reader' });
    await s.step(user, Auth.RoleRevokePermission, { role: 'reader', key: 'c' });
  }
  // What root may not.
  await s.step('root', Auth.UserDelete, { name: 'root' });
  await s.step('root', Auth.UserRevokeRole, { name: 'root', role: 'root' });
  await s.step('root', Auth.RoleDelete, { role: 'root' });
  await s.step('root', Auth.RoleDelete, { role: 'nothing' });
  await s.step('root', Auth.RoleAdd, { name: 'root' });
  await s.step('root', Auth.RoleGet, { role: 'root' });
  // Tokens that end.
  await s.step('root', Auth.UserChangePassword, { name: 'bob', password: 'bb' });
  await s.step('bob', KV.Range, range('a'));
  await s.login('bob', 'b');
  await s.login('bob', 'bb');
  await s.step('bob', KV.Range, range('a'));
  await s.step('root', Auth.UserChangePassword, { name: 'bob', password: '' });
  await s.login('bob', '');
  await s.login('bob', 'bb');
  await s.step('root', Auth.UserChangePassword, { name: 'cert', password: 'c' });
  await s.login('cert', 'c');
  await s.step('root', Auth.UserDelete, { name: 'bob' });
  await s.login('bob', 'bb');
  await s.step('root', Auth.UserGrantRole, { user: 'cert', role: 'b-role' });
  await s.step('alice', Auth.UserGet, { name: 'alice' });
  await s.step('root', Auth.RoleDelete, { role: 'b-role' });
  await s.step('root', Auth.UserGet, { name: 'cert' });
  await s.step('alice', Auth.UserGet, { name: 'alice' });
  await s.login('alice', 'a');
  await s.step('alice', Auth.UserGet, { name: 'alice' });
  await s.step('root', Auth.AuthStatus);
  await s.step('root', Auth.AuthDisable);
  await s.step('root', Auth.AuthStatus);
  await s.step(null, Auth.AuthDisable);
  await s.step('alice', KV.Put, put('a'));
  await s.step(null, Auth.AuthStatus);
  await s.step(null, Auth.AuthEnable);
  await s.step('root', Auth.AuthStatus);
  await s.login('root', 'r');
  await s.step('root', Auth.AuthDisable);
  return s.lines;
}

const OPEN = '\0';

/** Users, their roles and what these hold; root beside them. */
const USERS: Record<string, Permission[]> = {
  reader: [perm(READ, 'b', 'd')],
  writer: [perm(WRITE, 'b', 'd')],
  both: [perm(READWRITE, 'b', 'd')],
  point: [perm(READWRITE, 'b')],
  open: [perm(READWRITE, 'c', OPEN)],
  // Ranges that touch, overlap, and leave a hole.
  joined: [
    perm(READ, 'b', 'c'),
    perm(READ, 'c', 'd'),
    perm(WRITE, 'b'),
    perm(WRITE, 'b\0', 'c'),
    perm(WRITE, 'd', 'e'),
  ],
  none: [],
};

const RANGES: readonly (readonly [string, string])[] = [
  ['a', ''],
  ['b', ''],
  ['bb', ''],
  ['d', ''],
  ['zz', ''],
  ['b', 'd'],
  ['a', 'c'],
  ['b', 'e'],
  ['b', 'b'],
  ['c', 'b'],
  ['b', OPEN],
  ['c', OPEN],
  [OPEN, OPEN],
];

/** The table of permissions: user x verb x range x alone or within a transaction, and what leases need. */
export async function tellTable(caller: AuthCaller): Promise<string[]> {
  const s = new Story(caller);
  const setup = new Story(caller);
  await setup.step(null, Auth.UserAdd, { name: 'root', password: 'r' });
  await setup.step(null, Auth.UserGrantRole, { user: 'root', role: 'root' });
  for (const [name, permissions] of Object.entries(USERS)) {
    await setup.step(null, Auth.UserAdd, { name, password: 'p' });
    await setup.step(null, Auth.RoleAdd, { name });
    for (const perm of permissions) await setup.step(null, Auth.RoleGrantPermission, { name, perm });
    await setup.step(null, Auth.UserGrantRole, { user: name, role: name });
  }
  for (const key of ['a', 'b', 'bb', 'c', 'd', 'zz']) await setup.step(null, KV.Put, put(key));
  await setup.step(null, Auth.AuthEnable);
  await setup.login('root', 'r');
  for (const name of Object.keys(USERS)) await setup.login(name, 'p');
  const failed = setup.lines.find((line) => !/: OK/.test(line));
  if (failed !== undefined) throw new Error(`the table cannot be set: ${failed}`);

  for (const user of ['root', ...Object.keys(USERS), null]) {
    for (const [key, end] of RANGES) {
      const at = `${JSON.stringify(key)}${end === '' ? '' : ` to ${JSON.stringify(end)}`}`;
      const verdict = (request: TxnRequest, what: string) => said(s, user, `${what} ${at}`, KV.Txn, request);
      await said(s, user, `range ${at}`, KV.Range, range(key, end));
      if (end === '') {
        await said(s, user, `serializable range ${at}`, KV.Range, { ...range(key, end), serializable: true });
      }
      await said(s, user, `delete ${at}`, KV.DeleteRange, del(`${key}/none`, end === '' ? '' : end));
      await said(s, user, `delete with previous ${at}`, KV.DeleteRange, del(key, end === '' ? `${key}\0` : end, true));
      await verdict(txn([rangeOp(range(key, end))]), 'txn of a range');
      await verdict(txn([], [compared(key, end)]), 'txn that compares');
      await verdict(txn([deleteOp(del(key, end))], [compared('b')]), 'txn of a delete');
      await verdict(txn([], [], [rangeOp(range(key, end))]), 'txn with a range in the branch not taken');
      await verdict(txn([txnOp(txn([rangeOp(range(key, end))]))]), 'nested txn of a range');
      await verdict(txn([txnOp(txn([], [compared(key, end)]))]), 'nested txn that compares');
      await verdict(txn([txnOp(txn([deleteOp(del(key, end))]))]), 'nested txn of a delete');
      if (end === '') {
        await said(s, user, `put ${at}`, KV.Put, put(key));
        await said(s, user, `put with previous ${at}`, KV.Put, put(key, { prevKv: true }));
        await verdict(txn([putOp(put(key))]), 'txn of a put');
        await verdict(txn([putOp(put(key, { prevKv: true }))]), 'txn of a put with previous');
        await verdict(txn([txnOp(txn([putOp(put(key))]))]), 'nested txn of a put');
        await verdict(
          txn([txnOp(txn([txnOp(txn([], [], [putOp(put(key))]))]))]),
          'twice nested txn of a put, not taken',
        );
      }
      if (!(end !== '' && end !== OPEN && key >= end)) await watched(s, user, key, end, at);
    }
    await leases(s, user);
    await maintenance(s, user);
  }
  return s.lines;
}

async function said<Req, Res>(
  s: Story,
  user: string | null,
  what: string,
  rpc: Rpc<Req, Res>,
  request: Partial<Req>,
): Promise<void> {
  const outcome = await s.step(user, rpc, request, what);
  // What is read and counted is not the matter here.
  if (outcome.ok) s.lines[s.lines.length - 1] = `${user ?? '-'} ${rpc.name} ${what}: OK`;
}

async function watched(s: Story, user: string | null, key: string, end: string, at: string): Promise<void> {
  const request = { kind: WatchKind.CREATE, request: WatchCreateRequest.make({ key, rangeEnd: end }) } as WatchRequest;
  await s.stream(user, Watch.Watch, request, at);
}

/** A lease with a key that is root's, one with `b`, and one without. */
async function leases(s: Story, user: string | null): Promise<void> {
  const quiet = new Story(s.caller);
  for (const [id, key] of [
    [701n, 'a'],
    [702n, 'b'],
    [703n, ''],
  ] as const) {
    await quiet.step('root', Lease.LeaseGrant, { id, ttl: 1000 });
    if (key !== '') await quiet.step('root', KV.Put, put(key, { lease: id }));
    const of = key === '' ? 'of no key' : `of ${key}`;
    await s.step(user, Lease.LeaseTimeToLive, { id }, of);
    await said(s, user, `${of} with keys`, Lease.LeaseTimeToLive, { id, keys: true });
    await said(s, user, `put b on a lease ${of}`, KV.Put, put('b', { lease: id }));
    await said(s, user, `txn of put b on a lease ${of}`, KV.Txn, txn([putOp(put('b', { lease: id }))]));
    await quiet.step('root', KV.Put, put('b', { lease: 702n }));
    await s.stream(user, Lease.LeaseKeepAlive, { id }, of);
    await said(s, user, of, Lease.LeaseLeases, {});
    await said(s, user, of, Lease.LeaseRevoke, { id });
    await quiet.step('root', Lease.LeaseRevoke, { id });
  }
  await said(s, user, 'any', Lease.LeaseGrant, { id: 704n, ttl: 1000 });
  await quiet.step('root', Lease.LeaseRevoke, { id: 704n });
  for (const key of ['a', 'b', 'bb', 'c', 'd', 'zz']) await quiet.step('root', KV.Put, put(key));
}

/** What is refused to all but root; root itself is asked only for what does no harm. */
async function maintenance(s: Story, user: string | null): Promise<void> {
  await said(s, user, '', Maintenance.Status, {});
  await said(s, user, 'get', Maintenance.Alarm, {});
  await said(s, user, 'disarm', Maintenance.Alarm, AlarmRequest.make({ action: 2, memberId: 1n, alarm: 1 }));
  await said(s, user, '', Maintenance.Hash, {});
  await said(s, user, '', Maintenance.HashKV, {});
  await said(s, user, '', Maintenance.Snapshot, {});
  await said(s, user, '', Maintenance.Defragment, {});
  await said(s, user, 'to nobody', Maintenance.MoveLeader, { targetId: 1n });
  await said(s, user, 'validate nonsense', Maintenance.Downgrade, { version: 'x' });
  await said(s, user, 'to 0', KV.Compact, { revision: -5 });
  await said(s, user, '', Cluster.MemberList, {});
  await said(s, user, '', Cluster.MemberAdd, { peerUrls: [] });
  // Of root it would be taken, and need a second vote from then on.
  if (user !== 'root') await said(s, user, 'at a URL', Cluster.MemberAdd, { peerUrls: ['http://127.0.0.1:1'] });
  await said(s, user, 'of nobody', Cluster.MemberRemove, { id: 1n });
  await said(s, user, 'of nobody', Cluster.MemberUpdate, { id: 1n, peerUrls: ['http://127.0.0.1:1'] });
  await said(s, user, 'of nobody', Cluster.MemberPromote, { id: 1n });
}
