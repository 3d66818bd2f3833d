import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Codec, TxnRequest } from '../../src/wire/index.js';
import {
  DEPTH_MAX,
  makeRequestOp,
  makeTxnRequest,
  OpKind,
  PutRequest,
  rpcAt,
  TxnRequest as TxnRequestCodec,
  WireError,
} from '../../src/wire/index.js';
import { varint } from './arbitraries.js';

const lines = readFileSync(new URL('../testdata/wire/malformed.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => /^(\S+) (\S+) (.*)$/.exec(line) as RegExpExecArray);

test('the fixture is whole', () => {
  expect(lines.length).toBeGreaterThan(200);
  expect(lines.filter((m) => m[3] === 'ok').length).toBeGreaterThan(50);
});

test.each(lines.map((m): [string, string, string] => [m[1] ?? '', m[2] ?? '', m[3] ?? '']))(
  'etcd to %s %s: %s',
  (path, hex, text) => {
    const codec = rpcAt(path)?.request as Codec<unknown>;
    expect(verdict(codec, Buffer.from(hex === '-' ? '' : hex, 'hex'))).toBe(text);
  },
);

describe('nesting', () => {
  /** `depth` transactions, each the only operation of the one around it. Two messages a level. */
  function nested(depth: number): Buffer {
    let bytes: Buffer = Buffer.alloc(0);
    for (let i = 1; i < depth; i++) bytes = field(18, field(34, bytes));
    return bytes;
  }

  function field(tag: number, value: Buffer): Buffer {
    return Buffer.concat([Buffer.from([tag]), varint(BigInt(value.length)), value]);
  }

  test('a transaction as deep as the bound is read and written again', () => {
    const bytes = nested(DEPTH_MAX / 2);
    const txn = TxnRequestCodec.decode(bytes);
    let depth = 0;
    for (let t: TxnRequest | null = txn; t !== null; depth++) {
      const op: TxnRequest['success'][number] | undefined = t.success[0];
      t = op?.kind === OpKind.TXN ? op.request : null;
    }
    expect(depth).toBe(DEPTH_MAX / 2);
    expect(TxnRequestCodec.encode(txn)).toEqual(bytes);
  });

  test('a deeper one is refused, however deep', () => {
    for (const depth of [DEPTH_MAX / 2 + 2, 5_000, 20_000]) {
      expect(verdict(TxnRequestCodec, nested(depth))).toBe('proto: exceeded maximum recursion depth');
    }
  });

  test('the depth is that of the message at hand, not of all before it', () => {
    const ops = Array.from({ length: DEPTH_MAX * 2 }, () => makeRequestOp(OpKind.PUT, PutRequest.make({ key: 'k' })));
    const bytes = TxnRequestCodec.encode({ ...makeTxnRequest(), success: ops });
    expect(TxnRequestCodec.decode(bytes).success).toHaveLength(DEPTH_MAX * 2);
  });

  test('groups of an unknown field nest without end and cost no stack', () => {
    const open = Buffer.alloc(200_000, Buffer.from('a306', 'hex'));
    const close = Buffer.alloc(200_000, Buffer.from('a406', 'hex'));
    expect(verdict(PutRequest, Buffer.concat([open, close]))).toBe('ok');
    expect(verdict(PutRequest, open)).toBe('unexpected EOF');
  });
});

function verdict(codec: Codec<unknown>, bytes: Buffer): string {
  try {
    codec.decode(bytes);
    return 'ok';
  } catch (err) {
    expect(err).toBeInstanceOf(WireError);
    return (err as WireError).message;
  }
}
