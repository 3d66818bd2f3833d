import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromJson } from '../../src/gateway/json/decode.js';
import { escapeHtml, toJson } from '../../src/gateway/json/encode.js';
import { JsonSplitter } from '../../src/gateway/json/splitter.js';
import type { AnyCodec } from '../../src/wire/index.js';
import { AlarmResponse, KeyValue, RPCS, TxnRequest, WatchRequest, WatchResponse } from '../../src/wire/index.js';
import { check } from '../support/fc.js';
import { arbitraryMessage } from '../wire/arbitraries.js';

const read = (codec: AnyCodec, text: string): unknown => fromJson(codec, Buffer.from(text));

describe('messages', () => {
  const codecs = [
    ...new Set(RPCS.flatMap((rpc) => (rpc.gateway.length > 0 ? [rpc.request, rpc.response] : []))),
  ] as AnyCodec[];

  test('every message of every rpc is the same after a way through JSON', () => {
    for (const codec of codecs) {
      check(
        fc.property(arbitraryMessage(codec), (message) => {
          const json = toJson(codec, message);
          JSON.parse(json);
          expect(codec.encode(read(codec, json) as never)).toEqual(codec.encode(message as never));
        }),
        { runs: 20 },
      );
    }
  });

  test('what is zero is left out, but a member of a oneof that is set is there', () => {
    expect(toJson(KeyValue, KeyValue.make())).toBe('{}');
    expect(toJson(WatchRequest, WatchRequest.make({ kind: 3, request: {} } as never))).toBe('{"progress_request":{}}');
    expect(toJson(AlarmResponse, AlarmResponse.make({ alarms: [{ memberId: 2n ** 64n - 1n, alarm: 1 }] }))).toBe(
      '{"alarms":[{"memberID":"18446744073709551615","alarm":"NOSPACE"}]}',
    );
    expect(toJson(AlarmResponse, AlarmResponse.make({ alarms: [{ memberId: 1n, alarm: 9 }] }))).toBe(
      '{"alarms":[{"memberID":"1","alarm":9}]}',
    );
  });

  test('names of fields are no names of objects', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'kind', 'request', 'targetUnion']) {
      expect(read(TxnRequest, `{"${name}":{"a":1},"compare":[]}`)).toEqual(TxnRequest.make());
    }
    expect(({} as { a?: number }).a).toBeUndefined();
  });

  test('text in a stream is safe to stand in a page', () => {
    const json = toJson(WatchResponse, WatchResponse.make({ cancelReason: '</script>&\u2028' }));
    expect(escapeHtml(json)).toBe('{"cancel_reason":"\\u003c/script\\u003e\\u0026\\u2028"}');
    expect(JSON.parse(escapeHtml(json))).toEqual({ cancel_reason: '</script>&\u2028' });
  });
});

describe('the splitter', () => {
  function all(chunks: Buffer[]): string[] {
    const splitter = new JsonSplitter();
    const found: string[] = [];
    const take = (): void => {
      for (let piece = splitter.next(); piece.kind === 'value'; piece = splitter.next()) {
        found.push(piece.bytes.toString());
      }
    };
    for (const chunk of chunks) {
      splitter.push(chunk);
      take();
    }
    splitter.end();
    take();
    const last = splitter.next();
    return last.kind === 'error' ? [...found, `! ${last.text}`] : found;
  }

  test('finds the same values in whatever pieces they come', () => {
    const space = fc.constantFrom('', ' ', '\n', '\r\n\t ');
    const bodies = fc.array(fc.tuple(fc.jsonValue(), space), { maxLength: 5 });
    check(
      fc.property(bodies, fc.array(fc.nat(40)), (values, cuts) => {
        // Numbers need something between them.
        const text = values.map(([value, gap]) => `${JSON.stringify(value)}${gap === '' ? ' ' : gap}`).join('');
        const bytes = Buffer.from(text);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(bytes.subarray(at));
        expect(all(chunks)).toEqual(values.map(([value]) => JSON.stringify(value)));
      }),
    );
  });

  test('takes and refuses what JSON.parse takes and refuses', () => {
    const text = fc.string({ unit: fc.constantFrom(...'{}[],:"\\ae1-.+0tu ') });
    check(
      fc.property(text, (json) => {
        let isJson = true;
        try {
          JSON.parse(json);
        } catch {
          isJson = false;
        }
        const found = all([Buffer.from(json)]);
        if (isJson) expect(found).toEqual([json.trim()]);
        // Several values may stand one after the other; what is left must be an error then.
        else expect(found.length === 1 && !found[0]!.startsWith('!') && found[0] === json.trim()).toBe(false);
      }),
      { runs: 2000 },
    );
  });

  test('says how much it holds', () => {
    const splitter = new JsonSplitter();
    splitter.push(Buffer.from('{"a":1}   {"b"'));
    expect(splitter.next().kind).toBe('value');
    expect(splitter.next().kind).toBe('more');
    expect(splitter.pendingBytes).toBe(4);
  });
});
