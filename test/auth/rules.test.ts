import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthStore, LoginLimiter, SimpleTokens } from '../../src/auth/index.js';
import { KeyRanges, rangeOf } from '../../src/auth/key-ranges.js';
import { parseTokenOptions } from '../../src/auth/token-options.js';
import { MemoryBackend } from '../../src/storage/backend/index.js';
import type { Permission } from '../../src/wire/index.js';
import { AuthUserAddRequest, AuthUserChangePasswordRequest } from '../../src/wire/index.js';
import { check } from '../support/fc.js';

const HASH = Buffer.from('$2a$04$x').toString('base64');

describe('key ranges', () => {
  const key = fc.array(fc.constantFrom('a', 'b', '\0'), { minLength: 1, maxLength: 3 }).map((cs) => cs.join(''));
  const end = fc.oneof(fc.constant(''), fc.constant('\0'), key);
  const permission = fc.tuple(key, end);

  /** All keys that the ranges of the test can tell apart. */
  const KEYS = ['', 'a', 'b', '\0'].flatMap((a) =>
    ['', 'a', 'b', '\0'].flatMap((b) => ['', 'a', 'b', '\0'].flatMap((c) => ['', '\0', 'z'].map((d) => a + b + c + d))),
  );
  const holds = (k: string, [from, to]: [string, string]): boolean =>
    to === '' ? k === from : k >= from && (to === '\0' || k < to);

  it('cover a request exactly when each of its keys is in one of them', () => {
    check(
      fc.property(fc.array(permission, { maxLength: 5 }), permission, (held, asked) => {
        const ranges = new KeyRanges(held.map(([k, e]) => rangeOf(k, e)));
        const wanted = KEYS.filter((k) => k !== '' && holds(k, asked));
        if (wanted.length === 0) return;
        const all = wanted.every((k) => held.some((range) => holds(k, range)));
        const open = asked[1] === '\0' && !held.some(([, e]) => e === '\0');
        expect(ranges.covers(rangeOf(...asked))).toBe(all && !open);
      }),
    );
  });
});

/** Root with a password, one user with one role. */
function makeStore(perms: Permission[] = []): AuthStore {
  const store = new AuthStore(new MemoryBackend(queueMicrotask));
  for (const name of ['root', 'u']) store.userAdd(AuthUserAddRequest.make({ name, hashedPassword: HASH }));
  store.userGrantRole('root', 'root');
  store.roleAdd('r');
  for (const perm of perms) store.roleGrantPermission({ name: 'r', perm });
  store.userGrantRole('u', 'r');
  return store;
}

describe('the rules', () => {
  it('are off until root is there, and each change raises the revision by one', () => {
    const store = new AuthStore(new MemoryBackend(queueMicrotask));
    expect([store.enabled, store.revision, store.enable()]).toEqual([false, 1, 'root-user-missing']);
    store.userAdd(AuthUserAddRequest.make({ name: 'root', hashedPassword: HASH }));
    expect(store.enable()).toBe('root-role-missing');
    store.userGrantRole('root', 'root');
    expect([store.enable(), store.enabled, store.revision]).toEqual([null, true, 3]);
    expect(store.userGrantRole('root', 'root')).toBe(null);
    expect(store.userRevokeRole('root', 'root')).toBe('invalid-management');
    expect(store.revision).toBe(3);
    store.disable();
    expect([store.enabled, store.revision]).toEqual([false, 4]);
  });

  it('ask in one order: a name, its age, the permission', () => {
    const store = makeStore([{ permType: 0, key: 'a', rangeEnd: 'c' }]);
    store.enable();
    const { permissions, revision } = store;
    expect(permissions.mayRead({ username: '', revision: 0 }, 'a', '')).toBe('user-empty');
    expect(permissions.mayRead({ username: 'u', revision: revision - 1 }, 'a', '')).toBe('old-revision');
    expect(permissions.mayRead({ username: 'root', revision: revision - 1 }, 'a', '')).toBe('old-revision');
    expect(permissions.mayRead({ username: 'u', revision }, 'a', 'c')).toBe(null);
    expect(permissions.mayRead({ username: 'u', revision }, 'a', '\0')).toBe('permission-denied');
    expect(permissions.mayWrite({ username: 'u', revision }, 'a', '')).toBe('permission-denied');
    expect(permissions.mayWrite({ username: 'root', revision }, '\0', '\0')).toBe(null);
    expect(permissions.mayRead({ username: 'gone', revision }, 'a', '')).toBe('permission-denied');
    expect(permissions.mayAdminister({ username: 'root', revision: 0 })).toBe(null);
  });

  it('forget a range with the role, the permission and the user', () => {
    const perm = { permType: 2, key: 'a', rangeEnd: '' };
    const store = makeStore([perm]);
    store.enable();
    const may = () => store.permissions.mayWrite({ username: 'u', revision: store.revision }, 'a', '');
    expect(may()).toBe(null);
    store.roleRevokePermission({ role: 'r', key: 'a', rangeEnd: '' });
    expect(may()).toBe('permission-denied');
    store.roleGrantPermission({ name: 'r', perm });
    expect(may()).toBe(null);
    store.roleDelete('r');
    expect([may(), store.user('u')?.roles]).toEqual(['permission-denied', []]);
  });

  it('take a hash that is none for no password, and are the same after a load', () => {
    const store = makeStore();
    expect(store.userChangePassword(AuthUserChangePasswordRequest.make({ name: 'u', hashedPassword: '%' }))).toBe(
      'no-password-user',
    );
    expect(store.userChangePassword(AuthUserChangePasswordRequest.make({ name: 'x' }))).toBe('user-not-found');
  });
});

describe('simple tokens', () => {
  it('live on while they are used, and end with their user', () => {
    let now = 0;
    const tokens = new SimpleTokens(1000, { now: () => now }, { randomBytes: (n) => Buffer.alloc(n, 3) });
    const token = tokens.assign('u', tokens.prefix(), 7);
    expect(token).toBe(`${'d'.repeat(16)}.7`);
    expect([tokens.indexOf(token), tokens.indexOf('x'), tokens.indexOf('a.b'), tokens.indexOf('a.1.2')]).toEqual([
      7,
      null,
      null,
      null,
    ]);
    now = 900;
    expect(tokens.identify(token, 5)).toEqual({ username: 'u', revision: 5 });
    now = 1800;
    tokens.tick(now);
    expect(tokens.identify(token, 6)?.revision).toBe(6);
    now = 2800;
    expect(tokens.identify(token, 6)).toBe(null);
    tokens.tick(now);
    expect(tokens.size).toBe(0);
    const other = tokens.assign('u', 'p', 8);
    tokens.userInvalidated('u');
    expect(tokens.identify(other, 6)).toBe(null);
  });
});

describe('--auth-token', () => {
  it.each([
    ['simple', { kind: 'simple' }],
    [
      'jwt,pub-key=a,priv-key=b,sign-method=RS256,ttl=1h30m',
      { kind: 'jwt', method: 'RS256', publicKey: 'a', privateKey: 'b', ttlMs: 5_400_000 },
    ],
    ['jwt,sign-method=HS256,priv-key=s', { kind: 'jwt', method: 'HS256', publicKey: '', privateKey: 's', ttlMs: null }],
  ])('%s', (text, expected) => expect(parseTokenOptions(text)).toEqual(expected));

  it.each([
    'other',
    'jwt',
    'jwt,sign-method=none,priv-key=a',
    'jwt,sign-method=RS256',
    'jwt,sign-method=RS256,priv-key=a,ttl=x',
    'jwt,x=y',
  ])('%s is refused', (text) => expect(parseTokenOptions(text)).toMatch(/^auth: invalid auth options/));
});

describe('wrong passwords', () => {
  it('are slowed down from the eleventh on, for who gave them', () => {
    const limiter = new LoginLimiter();
    for (let i = 0; i < 10; i++) {
      expect(limiter.wait('u@h', 0)).toBe(0);
      limiter.failed('u@h', 0);
    }
    expect([limiter.wait('u@h', 0), limiter.wait('u@h', 250), limiter.wait('u@other', 0)]).toEqual([250, 0, 0]);
    limiter.failed('u@h', 250);
    expect(limiter.wait('u@h', 250)).toBe(500);
    limiter.succeeded('u@h');
    expect(limiter.wait('u@h', 250)).toBe(0);
    for (let i = 0; i < 40; i++) limiter.failed('u@h', 0);
    expect([limiter.wait('u@h', 0), limiter.wait('u@h', 60_000)]).toEqual([30_000, 0]);
  });
});
