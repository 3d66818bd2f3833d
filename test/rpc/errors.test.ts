import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Status } from '../../src/rpc/errors.js';
import {
  CHECK_STATUS,
  Code,
  messageTooLarge,
  NO_MESSAGE,
  notBuilt,
  RPC_STATUS,
  SERVER_STATUS,
  statusOf,
  undecodable,
  undecodableInStream,
  unknownPath,
} from '../../src/rpc/errors.js';
import type { ServerErrorCode } from '../../src/server/index.js';
import { refusal, ServerError } from '../../src/server/index.js';
import { REPO_ROOT } from '../support/binaries.js';

const codeNames = new Map(Object.entries(Code).map(([name, code]) => [code, name]));
const row = (name: string, { code, message }: Status) =>
  `| ${name} | ${code} ${codeNames.get(code as never)} | ${message === '' ? "the error's own" : `\`${message}\``} |`;

/** docs/errors.md, as the table in src/rpc/errors.ts says it. */
function document(): string {
  return [
    '# Errors',
    '',
    'What a call is refused with: the code that a member gives it (`ServerError.code`), and what a client gets. Codes and',
    "texts are etcd's. `npm run test:rewrite` writes this page from `src/rpc/errors.ts`; a test holds the two equal.",
    '',
    "Two that etcd means as ResourceExhausted and FailedPrecondition travel as UNKNOWN, with etcd as here. A client's own",
    'deadline, and its cancelling, end a call with `context deadline exceeded` and `context canceled`.',
    '',
    '| refusal | gRPC status | text |',
    '|---|---|---|',
    ...Object.entries(SERVER_STATUS).map(([code, status]) => row(`\`${code}\``, status)),
    '',
    'Before a member hears of a request:',
    '',
    '| request | gRPC status | text |',
    '|---|---|---|',
    row('the metadata `client-api-version` is not UTF-8', RPC_STATUS.invalidClientApiVersion),
    row('no such health service', RPC_STATUS.unknownHealthService),
    row('no message', NO_MESSAGE),
    row('a body that is no message', undecodable('unexpected EOF')),
    row('the same in a stream', undecodableInStream('unexpected EOF')),
    row('more than --max-request-bytes and 512 KiB', messageTooLarge(2_200_010, 2_097_152)),
    row(
      'an unknown service',
      unknownPath('/a.B/C', () => false),
    ),
    row(
      'an unknown method',
      unknownPath('/etcdserverpb.KV/Nope', () => true),
    ),
    row('an rpc of etcd that this version does not have', notBuilt('Auth.UserAdd')),
    '',
  ].join('\n');
}

test('docs/errors.md is the table', () => {
  const path = join(REPO_ROOT, 'docs', 'errors.md');
  if (process.env.KEEL_TEST_REWRITE === '1') writeFileSync(path, document());
  expect(readFileSync(path, 'utf8')).toBe(document());
});

describe('the table', () => {
  test("has etcd's exceptions", () => {
    // etcd semantics §1.1: nominally 8 and 9.
    expect(SERVER_STATUS.ERR_TOO_MANY_REQUESTS).toEqual({ code: 2, message: 'etcdserver: too many requests' });
    expect(SERVER_STATUS.ERR_NOT_ENOUGH_STARTED.code).toBe(2);
    expect(SERVER_STATUS.ERR_DEADLINE).toEqual({ code: 4, message: 'context deadline exceeded' });
    expect(SERVER_STATUS.ERR_CANCELED).toEqual({ code: 1, message: 'context canceled' });
  });

  test('no two refusals share a text', () => {
    const texts = Object.values(SERVER_STATUS)
      .map(({ message }) => message)
      .filter((message) => message !== '');
    expect(new Set(texts).size).toBe(texts.length);
  });

  test('a check and the member say the same', () => {
    for (const status of Object.values(CHECK_STATUS)) expect(Object.values(SERVER_STATUS)).toContain(status);
  });

  test('leaves the text to an error that has one of its own', () => {
    expect(statusOf(new ServerError('ERR_INTERNAL', 'disk on fire'))).toEqual({ code: 2, message: 'disk on fire' });
    expect(statusOf(new ServerError('ERR_NOT_BUILT', 'not there yet'))).toEqual({ code: 12, message: 'not there yet' });
    expect(statusOf(refusal('ERR_COMPACTED')).message).toBe('etcdserver: mvcc: required revision has been compacted');
  });

  test('an unknown code is Unknown, with its text', () => {
    expect(statusOf(new ServerError('ERR_NEW' as ServerErrorCode, 'new'))).toEqual({ code: 2, message: 'new' });
  });
});

test.each([
  ['/a.B/C', 'unknown service a.B'],
  ['/etcdserverpb.KV/', 'unknown method  for service etcdserverpb.KV'],
  ['/etcdserverpb.KV/Range/x', 'unknown service etcdserverpb.KV/Range'],
  ['/Range', 'malformed method name: "/Range"'],
  ['', 'malformed method name: ""'],
])('the path %j', (path, message) => {
  expect(unknownPath(path, (name) => name === 'etcdserverpb.KV')).toEqual({ code: 12, message });
});
