import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Kv } from '../../../src/sim/checkers/index.js';
import { AuthModel } from '../../../src/sim/checks/auth-model.js';
import { drawOptions } from '../../../src/sim/options.js';
import { run } from '../../../src/sim/run.js';
import type { Codec, Input } from '../../../src/wire/index.js';
import {
  AuthDisableRequest,
  AuthEnableRequest,
  AuthRoleAddRequest,
  AuthRoleDeleteRequest,
  AuthRoleGrantPermissionRequest,
  AuthUserAddRequest,
  AuthUserGrantRoleRequest,
  CompareResult,
  CompareTarget,
  decodeInternalRequest,
  encodeDeleteRangeRequest,
  encodeInternalRequest,
  encodePutRequest,
  encodeTxnRequest,
  InternalKind,
  LeaseRevokeRequest,
  makeCompare,
  makeDeleteRangeRequest,
  makePutRequest,
  makeRequestOp,
  makeTxnRequest,
  OpKind,
} from '../../../src/wire/index.js';

const [READ, WRITE, BOTH] = [0, 1, 2];

/** A model with root and anna, whose role has the grants; auth is on. */
function modelWith(grants: readonly (readonly [number, string, string])[]) {
  const model = new AuthModel();
  const kvs = new Map<string, Kv>();
  const take = (who: string, kind: number, body: Buffer, revision = model.revision): boolean =>
    model.take(decodeInternalRequest(encodeInternalRequest(1n, who, who === '' ? 0 : revision, kind, body)), kvs);
  const change = <Req>(kind: number, codec: Codec<Req>, request: Input<Req>, who = 'root'): boolean =>
    take(who, kind, codec.encode(request));
  for (const name of ['root', 'anna']) {
    change(InternalKind.AUTH_USER_ADD, AuthUserAddRequest, { name });
    change(InternalKind.AUTH_ROLE_ADD, AuthRoleAddRequest, { name });
    change(InternalKind.AUTH_USER_GRANT_ROLE, AuthUserGrantRoleRequest, { user: name, role: name });
  }
  for (const [permType, key, rangeEnd] of grants) {
    const perm = { permType, key, rangeEnd };
    change(InternalKind.AUTH_ROLE_GRANT_PERMISSION, AuthRoleGrantPermissionRequest, { name: 'anna', perm });
  }
  change(InternalKind.AUTH_ENABLE, AuthEnableRequest, {});
  expect(model.enabled).toBe(true);
  const put = (who: string, more: object, revision?: number): boolean =>
    take(who, InternalKind.PUT, encodePutRequest({ ...makePutRequest(), ...more }), revision);
  const remove = (who: string, key: string, rangeEnd: string, prevKv = false): boolean =>
    take(
      who,
      InternalKind.DELETE_RANGE,
      encodeDeleteRangeRequest({ ...makeDeleteRangeRequest(), key, rangeEnd, prevKv }),
    );
  return { model, kvs, take, change, put, remove };
}

describe('the model of who may do what', () => {
  test.each([
    ['the key alone', '', 'b', '', true],
    ['no key behind it', '', 'b\0', '', false],
    ['no range from it on', '', 'b', '\0', false],
    ['from it on', '\0', 'zz', '\0', true],
    ['from it on, not before', '\0', 'a', '', false],
    ['a range', 'd', 'c', 'd', true],
    ['not its end', 'd', 'd', '', false],
    ['not over its end', 'd', 'b', 'd\0', false],
    ['not without an end', 'd', 'c', '\0', false],
  ])('a grant of b to %s (%j): %j %j', (_what, end, key, rangeEnd, allowed) => {
    expect(modelWith([[WRITE, 'b', end]]).remove('anna', key, rangeEnd)).toBe(allowed);
  });

  test('ranges that touch are one, those with a gap are not', () => {
    const of = (from: string) =>
      modelWith([
        [WRITE, 'a', 'c'],
        [BOTH, from, 'e'],
      ]);
    expect(of('c').remove('anna', 'a', 'e')).toBe(true);
    expect(of('c\0').remove('anna', 'a', 'e')).toBe(false);
  });

  test('prev_kv needs READ, a lease WRITE on what hangs on it', () => {
    const { put, remove, kvs, take } = modelWith([[WRITE, 'a', 'c']]);
    expect(put('anna', { key: 'a' })).toBe(true);
    expect(put('anna', { key: 'a', prevKv: true })).toBe(false);
    expect(remove('anna', 'a', '', true)).toBe(false);
    expect(put('anna', { key: 'a', lease: 7n })).toBe(true);
    kvs.set('m', { key: 'm', value: '', create: 2, mod: 2, version: 1, lease: '7' });
    expect(put('anna', { key: 'a', lease: 7n })).toBe(false);
    const revoke = LeaseRevokeRequest.encode({ id: 7n });
    expect(take('anna', InternalKind.LEASE_REVOKE, revoke)).toBe(false);
    expect(take('root', InternalKind.LEASE_REVOKE, revoke)).toBe(true);
  });

  test('a transaction needs READ for what it compares, and both branches, however deep', () => {
    const { take } = modelWith([
      [WRITE, 'a', ''],
      [READ, 'r', ''],
    ]);
    const putOf = (key: string) => makeRequestOp(OpKind.PUT, { ...makePutRequest(), key });
    const compareOf = (key: string) => ({
      ...makeCompare(),
      key,
      target: CompareTarget.VERSION,
      result: CompareResult.EQUAL,
    });
    const txn = (compare: string, success: string, failure: string, nested = false): boolean => {
      const inner = { ...makeTxnRequest(), success: [putOf(success)] };
      const body = {
        ...makeTxnRequest(),
        compare: [compareOf(compare)],
        success: [nested ? makeRequestOp(OpKind.TXN, inner) : putOf(success)],
        failure: [putOf(failure)],
      };
      return take('anna', InternalKind.TXN, encodeTxnRequest(body as never));
    };
    expect(txn('r', 'a', 'a')).toBe(true);
    expect(txn('r', 'a', 'a', true)).toBe(true);
    expect(txn('a', 'a', 'a')).toBe(false);
    expect(txn('r', 'b', 'a')).toBe(false);
    expect(txn('r', 'a', 'b')).toBe(false);
    expect(txn('r', 'b', 'a', true)).toBe(false);
  });

  test('nobody, and whose identity is older than the rules, may nothing; root included', () => {
    const { model, put } = modelWith([[BOTH, 'a', '']]);
    expect(put('', { key: 'a' })).toBe(false);
    expect(put('stranger', { key: 'a' })).toBe(false);
    expect(put('anna', { key: 'a' }, model.revision - 1)).toBe(false);
    expect(put('root', { key: 'zz' })).toBe(true);
    expect(put('root', { key: 'zz' }, model.revision - 1)).toBe(false);
  });

  test('root alone changes the rules; what is refused or changes nothing leaves their revision', () => {
    const { model, change, put } = modelWith([[BOTH, 'a', '']]);
    const before = model.revision;
    expect(change(InternalKind.AUTH_ROLE_ADD, AuthRoleAddRequest, { name: 'more' }, 'anna')).toBe(false);
    change(InternalKind.AUTH_ROLE_ADD, AuthRoleAddRequest, { name: 'anna' });
    change(InternalKind.AUTH_ROLE_DELETE, AuthRoleDeleteRequest, { role: 'root' });
    expect(model.revision).toBe(before);
    change(InternalKind.AUTH_ROLE_DELETE, AuthRoleDeleteRequest, { role: 'anna' });
    expect(put('anna', { key: 'a' })).toBe(false);
    change(InternalKind.AUTH_DISABLE, AuthDisableRequest, {});
    expect(model.text).toBe(`off at ${before + 2}`);
    expect(put('', { key: 'a' })).toBe(true);
  });
});

describe('auth that is on, in a run of the simulator', { timeout: 60_000 }, () => {
  afterEach(() => void vi.restoreAllMocks());

  const options = drawOptions(3, { others: { auth: 2 }, faultKinds: [], members: 3 });

  test('some entries are refused, and members agree with the model', () => {
    const result = run({ options });
    expect(result.violations).toEqual([]);
    expect(result.refused).toBeGreaterThan(10);
  });

  test('a decision that the members take otherwise is found', () => {
    const take = AuthModel.prototype.take;
    vi.spyOn(AuthModel.prototype, 'take').mockImplementation(function (this: AuthModel, request, kvs) {
      const allowed = take.call(this, request, kvs);
      return allowed || (request.kind === InternalKind.PUT && request.username === 'anna');
    });
    const rules = run({ options }).violations.map(({ rule }) => rule);
    expect(rules).toContain('I4 same state');
  });

  test('so are rules that a member changes otherwise', () => {
    const take = AuthModel.prototype.take;
    vi.spyOn(AuthModel.prototype, 'take').mockImplementation(function (this: AuthModel, request, kvs) {
      const { revision } = this;
      const allowed = take.call(this, request, kvs);
      if (request.kind === InternalKind.AUTH_USER_ADD) this.revision = revision;
      return allowed;
    });
    const rules = run({ options }).violations.map(({ rule }) => rule);
    expect(rules).toContain('I13 auth');
  });
});
