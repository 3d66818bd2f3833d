import { createHmac, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { MemberConfig } from '../../src/index.js';
import type { WatchRequest } from '../../src/wire/index.js';
import { Auth, KV, WatchCreateRequest, WatchKind } from '../../src/wire/index.js';
import type { TestMember } from '../rpc/support/member.js';
import { startTestMember } from '../rpc/support/member.js';
import { AuthCaller } from './support/caller.js';
import { perm, put, READ, range } from './support/story.js';

const dir = mkdtempSync(join(tmpdir(), 'keel-auth-'));
const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  rmSync(dir, { recursive: true, force: true });
});

/** A member with root (r) and alice (a), who may read from a to c, and auth on. */
async function start(config: Partial<MemberConfig> = {}): Promise<{ member: TestMember; caller: AuthCaller }> {
  const member = await startTestMember({ bcryptCost: 4, ...config });
  const caller = new AuthCaller(member.endpoint);
  open.push(
    () => member.stop(),
    () => caller.close(),
  );
  await caller.call(Auth.UserAdd, { name: 'root', password: 'r' });
  await caller.call(Auth.UserGrantRole, { user: 'root', role: 'root' });
  await caller.call(Auth.UserAdd, { name: 'alice', password: 'a' });
  await caller.call(Auth.RoleAdd, { name: 'reader' });
  await caller.call(Auth.RoleGrantPermission, { name: 'reader', perm: perm(READ, 'a', 'c') });
  await caller.call(Auth.UserGrantRole, { user: 'alice', role: 'reader' });
  expect((await caller.call(Auth.AuthEnable, {})).ok).toBe(true);
  for (const [user, password] of [
    ['root', 'r'],
    ['alice', 'a'],
  ] as const) {
    expect(await caller.login(user, password)).toBe('OK');
  }
  return { member, caller };
}

const watch = (key: string): WatchRequest => ({
  kind: WatchKind.CREATE,
  request: WatchCreateRequest.make({ key }),
});

describe('an open watch', () => {
  it('stays when the permission goes, as in etcd', async () => {
    const { caller } = await start();
    const tap = caller.watch('alice');
    tap.send(watch('a'));
    expect(await tap.next()).toMatchObject({ created: true, canceled: false });
    await caller.call(Auth.UserDelete, { name: 'alice' }, 'root');
    await caller.call(KV.Put, put('a'), 'root');
    expect((await tap.next())?.events.length).toBe(1);
    tap.close();
  });

  it('ends with --auth-recheck-watches, and others go on', async () => {
    const { caller } = await start({ authRecheckWatches: true });
    const [alice, root] = [caller.watch('alice'), caller.watch('root')];
    for (const tap of [alice, root]) {
      tap.send(watch('a'));
      expect(await tap.next()).toMatchObject({ created: true, canceled: false });
    }
    await caller.call(Auth.RoleAdd, { name: 'unrelated' }, 'root');
    await caller.call(Auth.UserRevokeRole, { name: 'alice', role: 'reader' }, 'root');
    expect(await alice.next()).toMatchObject({
      canceled: true,
      created: false,
      cancelReason: 'rpc error: code = PermissionDenied desc = etcdserver: permission denied',
    });
    await caller.call(KV.Put, put('a'), 'root');
    expect((await root.next())?.events.length).toBe(1);
    expect(await alice.next(100)).toBe(undefined);
    alice.close();
    root.close();
  });
});

describe('JSON web tokens', () => {
  it.each(['RS256', 'PS384', 'ES256', 'EdDSA', 'HS512'])(
    '%s: made, checked, and outdated by a change',
    async (method) => {
      const [file, secret] = keyFile(method);
      const { caller } = await start({ authToken: `jwt,sign-method=${method},priv-key=${file},ttl=1m` });
      expect((await caller.call(KV.Range, range('a'), 'alice')).ok).toBe(true);
      const token = caller.tokenOf('alice')!;
      const [head, body, signature] = token.split('.') as [string, string, string];
      expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({ alg: method, typ: 'JWT' });
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
      expect(claims).toMatchObject({ username: 'alice', revision: 7 });

      const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const asRoot = encoded({ ...claims, username: 'root' });
      const hmac = (text: string): string => createHmac('sha256', readFileSync(file)).update(text).digest('base64url');
      const tricks = {
        'another body': `${head}.${asRoot}.${signature}`,
        'no signature': `${encoded({ alg: 'none', typ: 'JWT' })}.${asRoot}.`,
        'the key as a secret': `${encoded({ alg: 'HS256' })}.${asRoot}.${hmac(`${encoded({ alg: 'HS256' })}.${asRoot}`)}`,
        'no token': 'a.b.c',
        'two parts': `${head}.${body}`,
      };
      for (const [trick, forged] of Object.entries(tricks)) {
        const outcome = await caller.call(KV.Range, range('a'), `token:${forged}`);
        expect(outcome, trick).toEqual({ ok: false, text: '16 etcdserver: invalid auth token' });
      }
      if (secret !== null) {
        const sign = (claim: object): string => {
          const text = `${head}.${encoded(claim)}`;
          return `${text}.${createHmac('sha512', secret).update(text).digest('base64url')}`;
        };
        const ask = async (claim: object) => (await caller.call(KV.Range, range('a'), `token:${sign(claim)}`)).ok;
        expect(await ask(claims)).toBe(true);
        expect(await ask({ ...claims, exp: Math.floor(Date.now() / 1000) - 1 })).toBe(false);
        expect(await ask({ username: 'alice', revision: 7 })).toBe(false);
        expect(await ask({ exp: claims.exp, revision: 7 })).toBe(false);
        expect(await ask({ exp: claims.exp, username: 'alice' })).toBe(false);
      }
      await caller.call(Auth.RoleAdd, { name: 'new' }, 'root');
      expect(await caller.call(KV.Range, range('a'), 'alice')).toEqual({
        ok: false,
        text: '3 etcdserver: revision of auth store is old',
      });
      expect(await caller.login('alice', 'a')).toBe('OK');
      expect((await caller.call(KV.Range, range('a'), 'alice')).ok).toBe(true);
    },
  );

  it('are refused at the start with keys that cannot be used', async () => {
    const [file] = keyFile('ES256');
    for (const [authToken, why] of [
      [`jwt,sign-method=RS256,priv-key=${file}`, /no key for RS256/],
      [`jwt,sign-method=RS256,priv-key=${join(dir, 'none')}`, /no key file/],
      ['jwt,sign-method=none,priv-key=x', /invalid auth options/],
    ] as const) {
      await expect(startTestMember({ authToken })).rejects.toThrow(why);
    }
  });
});

function keyFile(method: string): [string, Buffer | null] {
  const again = mkdtempSync(join(tmpdir(), 'keel-key-'));
  open.push(() => rmSync(again, { recursive: true, force: true }));
  const file = join(again, 'key');
  if (method.startsWith('HS')) {
    const secret = Buffer.from('a secret that nobody knows');
    writeFileSync(file, secret);
    return [file, secret];
  }
  const { privateKey } =
    method === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : method.startsWith('ES')
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return [file, null];
}

describe('a member', () => {
  it('knows its users after a restart, and no simple token', async () => {
    const { member, caller } = await start();
    caller.close();
    const again = await member.restart();
    open.splice(0, 1, () => again.stop());
    const after = new AuthCaller(again.endpoint);
    open.push(() => after.close());
    const token = caller.tokenOf('alice')!;
    expect(await after.call(KV.Range, range('a'), `token:${token}`)).toEqual({
      ok: false,
      text: '16 etcdserver: invalid auth token',
    });
    expect(await after.login('alice', 'a')).toBe('OK');
    expect((await after.call(KV.Range, range('a'), 'alice')).ok).toBe(true);
    expect(await after.call(KV.Put, put('a'), 'alice')).toMatchObject({ ok: false });
  });

  it('slows down who guesses', async () => {
    const { caller } = await start();
    const answers: string[] = [];
    for (let i = 0; i < 12; i++) answers.push(await caller.login('alice', `guess ${i}`));
    expect(new Set(answers.slice(0, 10))).toEqual(
      new Set(['3 etcdserver: authentication failed, invalid user ID or password']),
    );
    expect(answers.slice(10)).toContain('2 etcdserver: too many requests');
    expect(await caller.login('root', 'r')).toBe('OK');
  });

  it('writes down who did what, and no secret', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'keel-audit-')), 'audit.jsonl');
    const { caller } = await start({ auditLogPath: file });
    await caller.call(KV.Put, put('b/ü', { value: Buffer.from('a value') }), 'alice');
    await caller.call(KV.Range, range('a', 'c'), 'alice');
    await caller.call(Auth.UserChangePassword, { name: 'alice', password: 'a password' }, 'root');
    await expect.poll(() => readFileSync(file, 'utf8').trimEnd().split('\n').length).toBeGreaterThanOrEqual(12);
    const text = readFileSync(file, 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const [denied, allowed, changed] = lines.slice(-3);
    expect(denied).toMatchObject({ user: 'alice', rpc: 'KV.Put', code: 7, message: 'etcdserver: permission denied' });
    expect(denied.remote).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(allowed).toMatchObject({ user: 'alice', rpc: 'KV.Range', key: 'a', range_end: 'c', code: 0 });
    expect(changed).toMatchObject({ user: 'root', rpc: 'Auth.UserChangePassword', name: 'alice', code: 0 });
    expect(text).not.toMatch(/a value|a password|\$2a\$/);
    for (const user of ['root', 'alice']) expect(text).not.toContain(caller.tokenOf(user));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
