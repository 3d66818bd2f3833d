import { describe, expect, it } from 'vitest';
import {
  checkDeleteRange,
  checkPut,
  checkRange,
  checkTxn,
  isTxnReadonly,
  isTxnSerializable,
} from '../../src/mvcc/index.js';
import type { RequestOp } from '../../src/wire/index.js';
import { OpKind } from '../../src/wire/index.js';
import { compare, del, opDel, opPut, opRange, opTxn, put, range, txn } from './support/requests.js';

describe('checks of single requests', () => {
  it('Range (etcd semantics §3.2)', () => {
    expect(checkRange(range({ key: '' }))).toBe('empty-key');
    expect(checkRange(range({ key: '', sortOrder: 9 }))).toBe('empty-key');
    for (const bad of [{ sortOrder: 3 }, { sortOrder: -1 }, { sortTarget: 5 }, { sortTarget: -1 }]) {
      expect(checkRange(range({ key: 'a', ...bad }))).toBe('invalid-sort-option');
    }
    expect(checkRange(range({ key: '\0', rangeEnd: '\0', sortOrder: 2, sortTarget: 4 }))).toBe(null);
  });

  it('Put (§3.4)', () => {
    expect(checkPut(put('', '1', { ignoreValue: true }))).toBe('empty-key');
    expect(checkPut(put('a', '1', { ignoreValue: true, ignoreLease: true, lease: 1n }))).toBe('value-provided');
    expect(checkPut(put('a', '', { ignoreValue: true, ignoreLease: true, lease: 1n }))).toBe('lease-provided');
    expect(checkPut(put('a', '', { ignoreValue: true, ignoreLease: true }))).toBe(null);
  });

  it('DeleteRange (§3.5)', () => {
    expect(checkDeleteRange(del(''))).toBe('empty-key');
    expect(checkDeleteRange(del('a', 'a'))).toBe(null);
  });
});

describe('checks of a transaction (etcd semantics §3.6)', () => {
  const ranges = (n: number): RequestOp[] => Array.from({ length: n }, () => opRange({ key: 'a' }));

  it('counts the longest of its lists, and gives a nested one what is left', () => {
    expect(checkTxn(txn({ success: ranges(128), failure: ranges(128) }), 128)).toBe(null);
    expect(checkTxn(txn({ failure: ranges(129) }), 128)).toBe('too-many-ops');
    expect(checkTxn(txn({ compare: Array.from({ length: 129 }, () => compare({ key: 'a' })) }), 128)).toBe(
      'too-many-ops',
    );
    const nested = (n: number): RequestOp => opTxn({ success: ranges(n) });
    expect(checkTxn(txn({ success: [nested(126), nested(126)] }), 128)).toBe(null);
    expect(checkTxn(txn({ success: [nested(127), nested(1)] }), 128)).toBe('too-many-ops');
  });

  it('looks at counts, then compares, then operations, then duplicates', () => {
    const everything = { compare: [compare({ key: '' })], success: [opPut('', '1'), opPut('a'), opPut('a')] };
    expect(checkTxn(txn(everything), 2)).toBe('too-many-ops');
    expect(checkTxn(txn(everything), 3)).toBe('empty-key');
    expect(
      checkTxn(txn({ success: [opPut('a'), opPut('a')], failure: [opPut('b', '1', { ignoreValue: true })] }), 9),
    ).toBe('value-provided');
    expect(checkTxn(txn({ success: [{ kind: OpKind.NONE, request: null }] }), 9)).toBe('key-not-found');
  });

  const cases: [string, RequestOp[], boolean][] = [
    ['two puts of a key', [opPut('a'), opPut('a')], true],
    ['a put in a deleted range', [opPut('b'), opDel('a', 'c')], true],
    ['the same the other way round', [opDel('a', 'c'), opPut('b')], true],
    ['a put at the end of a deleted range', [opDel('a', 'c'), opPut('c')], false],
    ['two deletes of a key', [opDel('a'), opDel('a')], false],
    ['a range and a put', [opRange({ key: 'a' }), opPut('a')], false],
    ['a put in both branches of a nested one', [opTxn({ success: [opPut('a')], failure: [opPut('a')] })], false],
    ['a nested put and an outer one', [opTxn({ success: [opPut('a')] }), opPut('a')], true],
    ['a nested put and an outer delete', [opTxn({ failure: [opPut('a')] }), opDel('a')], true],
    ['a nested delete and an outer put', [opPut('a'), opTxn({ failure: [opDel('a')] })], true],
    ['puts of two nested ones', [opTxn({ success: [opPut('a')] }), opTxn({ failure: [opPut('a')] })], true],
    ['a nested delete, then a nested put', [opTxn({ success: [opDel('a')] }), opTxn({ success: [opPut('a')] })], true],
    // As etcd has it; compared with a real one in differential.test.ts.
    ['a nested put, then a nested delete', [opTxn({ success: [opPut('a')] }), opTxn({ success: [opDel('a')] })], false],
    ['a put in an open delete', [opDel('a', '\0'), opPut('b')], false],
    ['a put at an empty delete', [opDel('a', 'a'), opPut('a')], false],
  ];
  for (const [what, ops, duplicate] of cases) {
    it(`${duplicate ? 'refuses' : 'lets pass'} ${what}`, () => {
      expect(checkTxn(txn({ success: ops }), 128)).toBe(duplicate ? 'duplicate-key' : null);
      expect(checkTxn(txn({ failure: ops }), 128)).toBe(duplicate ? 'duplicate-key' : null);
    });
  }
});

describe('read-only detection (etcd semantics §3.6)', () => {
  it('wants plain ranges on both branches, and nothing nested', () => {
    expect(isTxnReadonly(txn({}))).toBe(true);
    expect(isTxnReadonly(txn({ success: [opRange({ key: 'a' })], failure: [opRange({ key: 'a' })] }))).toBe(true);
    expect(isTxnReadonly(txn({ failure: [opPut('a')] }))).toBe(false);
    expect(isTxnReadonly(txn({ success: [opDel('a')] }))).toBe(false);
    expect(isTxnReadonly(txn({ success: [opTxn({})] }))).toBe(false);
  });

  it('is serializable only if every range is', () => {
    expect(isTxnSerializable(txn({}))).toBe(true);
    expect(isTxnSerializable(txn({ success: [opRange({ key: 'a', serializable: true })] }))).toBe(true);
    expect(
      isTxnSerializable(
        txn({ success: [opRange({ key: 'a', serializable: true })], failure: [opRange({ key: 'a' })] }),
      ),
    ).toBe(false);
  });
});
