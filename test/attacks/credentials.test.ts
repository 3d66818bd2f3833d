import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tls from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RequestOp } from '../../src/wire/index.js';
import {
  Auth,
  Compare,
  DeleteRangeRequest,
  KV,
  Lease,
  Maintenance,
  makeRequestOp,
  OpKind,
  PutRequest,
  RangeRequest,
  TxnRequest,
  WatchCreateRequest,
  WatchKind,
} from '../../src/wire/index.js';
import { AuthCaller } from '../auth/support/caller.js';
import { perm, READ } from '../auth/support/story.js';
import type { CertFiles } from '../support/certificates.js';
import { Authority } from '../support/certificates.js';
import { Honest } from './support/honest.js';
import { pause } from './support/raw-h2.js';
import { report } from './support/report.js';
import type { Vitals } from './support/victim.js';
import { Victim } from './support/victim.js';

// Who is not who he says, or wants more than he may.

const DENIED = '7 etcdserver: permission denied';
const BAD_TOKEN = '16 etcdserver: invalid auth token';
const READWRITE = 2;

let ca: Authority;
let strangers: Authority;
let victim: Victim;
let relaxed: Victim;
let caller: AuthCaller;
let byEtcdsRule: AuthCaller;
let honest: Honest;
let before: Vitals;
let revokedNow: string;
let certs: Record<'good' | 'honest' | 'revoked' | 'expired' | 'early' | 'foreign' | 'otherName', CertFiles>;
let keys: { privateKey: string; publicKey: string };

beforeAll(async () => {
  ca = Authority.make();
  strangers = Authority.make('test ca');
  const server = ca.issue('server', { commonName: 'server', hosts: ['127.0.0.1'] });
  const past = Date.now() - 20 * 24 * 3_600_000;
  certs = {
    good: ca.issue('good', { commonName: 'app' }),
    honest: ca.issue('honest', { commonName: 'honest' }),
    revoked: ca.issue('revoked', { commonName: 'honest' }),
    expired: ca.issue('expired', { commonName: 'honest', notBefore: past, notAfter: past + 3_600_000 }),
    early: ca.issue('early', { commonName: 'honest', notBefore: Date.now() + 3_600_000 }),
    foreign: strangers.issue('foreign', { commonName: 'honest' }),
    otherName: ca.issue('other', { commonName: 'root' }),
  };
  revokedNow = ca.revoke('revoked.crl', [readFileSync(certs.revoked.cert, 'utf8')]);
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  keys = pair;
  writeFileSync(join(ca.dir, 'jwt.key'), pair.privateKey);
  writeFileSync(join(ca.dir, 'jwt.pub'), pair.publicKey);
  [victim, relaxed] = await Promise.all([
    Victim.start({
      secure: true,
      flags: [
        `--cert-file=${server.cert}`,
        `--key-file=${server.key}`,
        `--trusted-ca-file=${ca.caFile}`,
        '--client-cert-auth=true',
        `--client-crl-file=${revokedNow}`,
        '--client-cert-allowed-cn=honest,app',
        `--auth-token=jwt,sign-method=RS256,priv-key=${join(ca.dir, 'jwt.key')},pub-key=${join(ca.dir, 'jwt.pub')},ttl=5m`,
        '--auth-recheck-watches=true',
      ],
    }),
    Victim.start({ flags: ['--auth-token-ttl=2'] }),
  ]);
  caller = new AuthCaller(victim.endpoint, credentialsOf(certs.good));
  byEtcdsRule = new AuthCaller(relaxed.endpoint);
  for (const one of [caller, byEtcdsRule]) await makeUsers(one);
  // By the name in his certificate, so that no change of the rules outdates him.
  honest = await Honest.start(victim.endpoint, credentialsOf(certs.honest));
  await pause(300);
  before = await victim.vitals();
  honest.latencies();
}, 60_000);
afterAll(async () => {
  await honest.stop();
  for (const one of [caller, byEtcdsRule]) one.close();
  await Promise.all([victim.stop(), relaxed.stop()]);
  ca.remove();
  strangers.remove();
});

function credentialsOf({ cert, key }: CertFiles): grpc.ChannelCredentials {
  return grpc.credentials.createSsl(readFileSync(ca.caFile), readFileSync(key), readFileSync(cert));
}

/** root; alice, who may read [b, d) and the key x, and write x; honest, who may do as he likes with his key. */
async function makeUsers(by: AuthCaller): Promise<void> {
  const ok = async (outcome: Promise<{ ok: boolean }>): Promise<void> =>
    expect(await outcome).toMatchObject({ ok: true });
  for (const [user, role] of [
    ['root', 'root'],
    ['alice', 'reader'],
    ['bob', 'reader'],
    ['honest', 'own'],
  ] as const) {
    await ok(by.call(Auth.UserAdd, { name: user, password: user === 'root' ? 'r' : (user[0] as string) }));
    if (role !== 'root' && user !== 'bob') await ok(by.call(Auth.RoleAdd, { name: role }));
    await ok(by.call(Auth.UserGrantRole, { user, role }));
  }
  await ok(by.call(Auth.RoleGrantPermission, { name: 'reader', perm: perm(READ, 'b', 'd') }));
  await ok(by.call(Auth.RoleGrantPermission, { name: 'reader', perm: perm(READWRITE, 'x', '') }));
  await ok(by.call(Auth.RoleGrantPermission, { name: 'own', perm: perm(READWRITE, 'honest', '') }));
  await ok(by.call(Auth.AuthEnable, {}));
  for (const user of ['root', 'alice', 'bob', 'honest']) await by.login(user, user[0] as string);
  for (const key of ['a', 'b', 'c', 'd', 'x', 'y']) await ok(by.call(KV.Put, { key, value: Buffer.from('1') }, 'root'));
}

/** Shakes hands, asks, and tells what came of it. */
function knock(files: CertFiles | null, alpn: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = tls.connect({
      host: '127.0.0.1',
      port: victim.clientPort,
      ca: readFileSync(ca.caFile),
      ALPNProtocols: [alpn],
      ...(files === null ? {} : { cert: readFileSync(files.cert), key: readFileSync(files.key) }),
    });
    let text = '';
    socket.on('secureConnect', () => socket.write('GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text.split('\r\n')[0] as string));
  });
}

describe('certificates', () => {
  test('without a good one the connection ends before a byte of it is read, and the log says why', async () => {
    expect(await knock(certs.good, 'http/1.1')).toBe('HTTP/1.1 200 OK');
    const cases: [string, CertFiles | null, RegExp][] = [
      ['none', null, /didn't provide a certificate/],
      ['of another authority', certs.foreign, /unknown authority/],
      ['expired', certs.expired, /expired|not yet valid/],
      ['not valid yet', certs.early, /expired|not yet valid/],
      ['revoked', certs.revoked, /revoked/],
      ['of another name', certs.otherName, /client certificate authentication failed/],
    ];
    for (const [what, files, why] of cases) {
      const refused = victim.logged('rejected connection on client endpoint').length;
      for (const alpn of ['http/1.1', 'h2']) expect(await knock(files, alpn), what).toBe('');
      await expect.poll(() => victim.logged('rejected connection on client endpoint').length).toBe(refused + 2);
      expect(victim.logged('rejected connection on client endpoint').at(-1)?.error, what).toMatch(why);
    }
  });

  test('many at once with bad ones leave nothing behind', async () => {
    const bad = [null, certs.foreign, certs.expired, certs.revoked];
    await Promise.all(Array.from({ length: 80 }, (_, n) => knock(bad[n % bad.length] as CertFiles | null, 'h2')));
    const seen = honest.latencies();
    const after = await victim.recovered(before);
    report('bad certificates', { written: 0, goaway: '', seen, before, after });
    expect(seen.worstMs).toBeLessThan(5000);
  });
});

describe('tokens', () => {
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const rs256 = (text: string, key: string): string =>
    createSign('sha256').update(text).sign(key).toString('base64url');
  const ask = async (token: string): Promise<string> => {
    const outcome = await caller.call(KV.Range, { key: 'b' }, `token:${token}`);
    return outcome.ok ? 'OK' : outcome.text;
  };

  test('forged ones', async () => {
    const [head, body, signature] = (caller.tokenOf('alice') as string).split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    expect(await ask(`${head}.${body}.${signature}`)).toBe('OK');
    const root = encoded({ ...claims, username: 'root' });
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    const hs = (secret: string, claim: string): string => {
      const text = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${claim}`;
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const made = (claim: object): string => {
      const text = `${head}.${encoded(claim)}`;
      return `${text}.${rs256(text, keys.privateKey)}`;
    };
    const { exp: _, ...endless } = claims;
    const tricks: Record<string, string> = {
      'another body under the same signature': `${head}.${root}.${signature}`,
      'another key': `${head}.${root}.${rs256(`${head}.${root}`, other as string)}`,
      'alg none': `${encoded({ alg: 'none', typ: 'JWT' })}.${root}.`,
      'alg none in other letters': `${encoded({ alg: 'nOnE', typ: 'JWT' })}.${root}.`,
      'alg none with the signature': `${encoded({ alg: 'none' })}.${root}.${signature}`,
      'the public key as a secret': hs(keys.publicKey, root),
      'the public key as a secret, trimmed': hs(keys.publicKey.trim(), root),
      'an empty secret': hs('', root),
      'another algorithm of the same kind': `${encoded({ alg: 'RS384' })}.${root}.${signature}`,
      'a key of its own in the header': `${encoded({ alg: 'RS256', jwk: { kty: 'RSA' }, kid: '../../x' })}.${root}.${signature}`,
      expired: made({ ...claims, exp: Math.floor(Date.now() / 1000) - 1 }),
      'without an end': made(endless),
      'no name': made({ exp: claims.exp, revision: claims.revision }),
      'two parts': `${head}.${body}`,
      'five parts': `${head}.${body}.${signature}.a.b`,
      empty: '.',
      'not base64': `${head}.%%%.${signature}`,
      'a simple token of nobody': 'AbCdEfGhIjKlMnOp.1',
    };
    for (const [trick, token] of Object.entries(tricks)) expect(await ask(token), trick).toBe(BAD_TOKEN);
    expect(await ask(made(claims))).toBe('OK');
    // A user who never was, rightly signed: whoever has the key may say so, and nobody is behind it.
    expect(await ask(made({ ...claims, username: 'nobody' }))).not.toBe('OK');
    expect(await byEtcdsRule.call(KV.Range, { key: 'b' })).toEqual({
      ok: false,
      text: '3 etcdserver: user name is empty',
    });
  });

  test('one that was not used for its time', async () => {
    await byEtcdsRule.login('alice', 'a');
    expect((await byEtcdsRule.call(KV.Range, { key: 'b' }, 'alice')).ok).toBe(true);
    await pause(3500);
    expect(await byEtcdsRule.call(KV.Range, { key: 'b' }, 'alice')).toEqual({ ok: false, text: BAD_TOKEN });
    await byEtcdsRule.login('root', 'r');
  });

  test.each([
    ['simple', () => byEtcdsRule, BAD_TOKEN],
    ['web', () => caller, '3 etcdserver: revision of auth store is old'],
  ] as const)('of a user who was deleted: %s', async (_, by, text) => {
    const one = by();
    await one.call(Auth.UserAdd, { name: 'gone', password: 'g' }, 'root');
    await one.login('root', 'r');
    await one.call(Auth.UserGrantRole, { user: 'gone', role: 'reader' }, 'root');
    await one.login('root', 'r');
    await one.login('gone', 'g');
    expect((await one.call(KV.Range, { key: 'b' }, 'gone')).ok).toBe(true);
    expect((await one.call(Auth.UserDelete, { name: 'gone' }, 'root')).ok).toBe(true);
    expect(await one.call(KV.Range, { key: 'b' }, 'gone')).toEqual({ ok: false, text });
    expect(await one.call(KV.Put, { key: 'x' }, 'gone')).toEqual({ ok: false, text });
    await one.login('root', 'r');
    await one.login('alice', 'a');
  });
});

const rangeOp = (request: Partial<RangeRequest>): RequestOp => makeRequestOp(OpKind.RANGE, RangeRequest.make(request));
const putOp = (key: string): RequestOp => makeRequestOp(OpKind.PUT, PutRequest.make({ key }));
const deleteOp = (key: string, rangeEnd = ''): RequestOp =>
  makeRequestOp(OpKind.DELETE_RANGE, DeleteRangeRequest.make({ key, rangeEnd }));
const txnOp = (request: Partial<TxnRequest>): RequestOp => makeRequestOp(OpKind.TXN, TxnRequest.make(request));

describe('ranges', () => {
  test.each<[string, Partial<RangeRequest>, boolean]>([
    ['what may be read', { key: 'b', rangeEnd: 'd' }, true],
    ['one key of it', { key: 'c' }, true],
    ['a part of it', { key: 'b', rangeEnd: 'c\0' }, true],
    ['one key beyond', { key: 'b', rangeEnd: 'd\0' }, false],
    ['the end itself', { key: 'd' }, false],
    ['the key before, by one zero byte less', { key: 'a\xff' }, false],
    ['from before', { key: 'a', rangeEnd: 'c' }, false],
    ['everything', { key: '\0', rangeEnd: '\0' }, false],
    ['from a key that may be read on', { key: 'c', rangeEnd: '\0' }, false],
    ['from the one key that may be written on', { key: 'x', rangeEnd: '\0' }, false],
    ['the one key and what is right behind it', { key: 'x', rangeEnd: 'x\x01' }, false],
    ['the one key as a range', { key: 'x', rangeEnd: 'x\0' }, true],
    ['a prefix that is longer', { key: 'b', rangeEnd: 'bz' }, true],
    ['a prefix that is shorter', { key: 'x', rangeEnd: 'y' }, false],
    ['an end before the key', { key: 'y', rangeEnd: 'b' }, false],
    ['an end that is the key', { key: 'a', rangeEnd: 'a' }, false],
    ['a count alone', { key: 'a', rangeEnd: '\0', countOnly: true }, false],
    ['keys alone', { key: 'a', rangeEnd: '\0', keysOnly: true }, false],
    ['with a limit that would not reach', { key: 'b', rangeEnd: '\0', limit: 1 }, false],
    ['of an old revision', { key: 'a', revision: 3 }, false],
    ['from this member alone', { key: 'a', serializable: true }, false],
    ['in zero bytes', { key: '\0' }, false],
  ])('%s', async (_, request, may) => {
    const outcome = await caller.call(KV.Range, request, 'alice');
    if (may) expect(outcome.ok).toBe(true);
    else expect(outcome).toEqual({ ok: false, text: DENIED });
    // Hidden in a transaction it is the same.
    expect((await caller.call(KV.Txn, { success: [rangeOp(request)] }, 'alice')).ok).toBe(may);
  });

  test.each<[string, Partial<TxnRequest>]>([
    ['a put in the branch that is not taken', { success: [rangeOp({ key: 'b' })], failure: [putOp('b')] }],
    [
      'a comparison of what may not be read',
      { compare: [Compare.make({ key: 'a' })], success: [rangeOp({ key: 'b' })] },
    ],
    ['a comparison of a range', { compare: [Compare.make({ key: 'b', rangeEnd: '\0' })], success: [] }],
    ['a transaction within, in the branch not taken', { failure: [txnOp({ success: [putOp('a')] })] }],
    ['three deep', { success: [txnOp({ success: [txnOp({ failure: [rangeOp({ key: 'a' })] })] })] }],
    ['a comparison three deep', { success: [txnOp({ success: [txnOp({ compare: [Compare.make({ key: 'y' })] })] })] }],
    ['a deletion that reaches too far', { success: [deleteOp('x', 'x\x01')] }],
    [
      'a put that asks for what was there',
      { success: [makeRequestOp(OpKind.PUT, PutRequest.make({ key: 'a', prevKv: true }))] },
    ],
  ])('in a transaction: %s', async (_, request) => {
    expect(await caller.call(KV.Txn, request, 'alice')).toEqual({ ok: false, text: DENIED });
  });

  test('by way of a lease, and what is for root alone', async () => {
    const granted = await caller.call(Lease.LeaseGrant, { ttl: 60, id: 77n }, 'root');
    expect(granted.ok).toBe(true);
    expect((await caller.call(KV.Put, { key: 'a', lease: 77n }, 'root')).ok).toBe(true);
    expect(await caller.call(Lease.LeaseRevoke, { id: 77n }, 'alice')).toEqual({ ok: false, text: DENIED });
    expect(await caller.call(Lease.LeaseTimeToLive, { id: 77n, keys: true }, 'alice')).toEqual({
      ok: false,
      text: DENIED,
    });
    expect(await caller.call(KV.Put, { key: 'x', lease: 77n }, 'alice')).toEqual({ ok: false, text: DENIED });
    for (const rpc of [Maintenance.Defragment, Maintenance.Snapshot, KV.Compact, Auth.UserList] as const) {
      const outcome = await caller.call(rpc as typeof KV.Compact, {}, 'alice');
      expect(outcome, rpc.path).toEqual({ ok: false, text: DENIED });
    }
    expect((await caller.call(KV.Range, { key: 'a' }, 'root')).ok).toBe(true);
  });
});

test.each([
  ['ends with --auth-recheck-watches', true],
  ["goes on by etcd's rule", false],
] as const)('a watch whose permission goes %s', async (_, ends) => {
  const one = ends ? caller : byEtcdsRule;
  await one.login('root', 'r');
  await one.login('bob', 'b');
  const tap = one.watch('bob');
  tap.send({ kind: WatchKind.CREATE, request: WatchCreateRequest.make({ key: 'b', rangeEnd: 'd' }) });
  expect(await tap.next()).toMatchObject({ created: true });
  expect((await one.call(KV.Put, { key: 'b', value: Buffer.from('2') }, 'root')).ok).toBe(true);
  expect((await tap.next())?.events).toHaveLength(1);
  expect((await one.call(Auth.UserRevokeRole, { name: 'bob', role: 'reader' }, 'root')).ok).toBe(true);
  await one.login('root', 'r');
  expect((await one.call(KV.Put, { key: 'b', value: Buffer.from('secret') }, 'root')).ok).toBe(true);
  const next = await tap.next();
  if (ends)
    expect(next).toMatchObject({
      canceled: true,
      cancelReason: expect.stringContaining('permission denied'),
      events: [],
    });
  else expect(next?.events).toHaveLength(1);
  tap.close();
});
