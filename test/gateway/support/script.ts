import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { REPO_ROOT } from '../../support/binaries.js';

/**
 * Scripts of HTTP requests, in test/testdata/gateway. A step is a request, `----` and what came back:
 *
 *   POST /v3/kv/put
 *   header: Authorization: {TOKEN}
 *   body: {"key":"Zm9v"}
 *   ----
 *   200 json grpc
 *   {"header":{"revision":"2"}}
 *
 * | line | is |
 * |---|---|
 * | `header: Name: value` | `{X}` is what was kept as X |
 * | `body: text`, `hex: bytes` | the body, as it is |
 * | `lines: n` | the answer goes on: it is left after n lines |
 * | `keep: X` | the answer's token is kept as X |
 *
 * Of the headers those are printed that say something, one word where there is one. Ids, terms, indexes, sizes, hashes
 * and versions are left out of JSON. `# keel only: why` above a step: it is for our own server.
 */
export interface Step {
  readonly comments: string[];
  /** The request's lines. */
  readonly lines: string[];
  readonly expected: string;
  readonly keelOnly: boolean;
}

const SILENCE_MS = 700;
const HIDDEN = new Set(
  (
    'cluster_id member_id raft_term raftTerm raftIndex raftAppliedIndex dbSize dbSizeInUse storageVersion dbSizeQuota ' +
    'downgradeInfo hash hash_revision version peerURLs clientURLs token remaining_bytes blob'
  ).split(' '),
);

export const scriptPath = (name: string): string => join(REPO_ROOT, 'test', 'testdata', 'gateway', name);

export function readScript(name: string): Step[] {
  return readFileSync(scriptPath(name), 'utf8')
    .split(/\n\n+/)
    .map(stepOf)
    .filter((step) => step.lines.length > 0);
}

function stepOf(block: string): Step {
  const all = block.split('\n').filter((line) => line !== '');
  const comments = all.filter((line) => line.startsWith('#'));
  const lines = all.filter((line) => !line.startsWith('#'));
  const bar = lines.indexOf('----');
  return {
    comments,
    lines: bar < 0 ? lines : lines.slice(0, bar),
    expected: bar < 0 ? '' : lines.slice(bar + 1).join('\n'),
    keelOnly: comments.some((line) => line.startsWith('# keel only')),
  };
}

/** Puts what was printed into the file; all else stays. */
export function writeScript(name: string, outputs: readonly string[]): void {
  let at = 0;
  const blocks = readFileSync(scriptPath(name), 'utf8')
    .trimEnd()
    .split(/\n\n+/)
    .map((block) => {
      const { comments, lines } = stepOf(block);
      return lines.length === 0 ? block : [...comments, ...lines, '----', outputs[at++]].join('\n');
    });
  writeFileSync(scriptPath(name), `${blocks.join('\n\n')}\n`);
}

/** @returns what each step printed */
export async function runScript(endpoint: string, steps: readonly Step[]): Promise<string[]> {
  const kept = new Map<string, string>();
  const outputs: string[] = [];
  for (const { lines } of steps) outputs.push(await run(endpoint, lines, kept));
  return outputs;
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

async function run(endpoint: string, lines: readonly string[], kept: Map<string, string>): Promise<string> {
  const [method = '', target = ''] = (lines[0] as string).split(' ');
  const headers: Record<string, string> = {};
  let body = Buffer.alloc(0);
  let linesMax = Number.POSITIVE_INFINITY;
  let keep: string | undefined;
  for (const line of lines.slice(1)) {
    const [, word, rest = ''] = /^(\w+): ?(.*)$/.exec(line) as unknown as string[];
    if (word === 'header') {
      const [name = '', value = ''] = rest.split(': ');
      headers[name] = value.replace(/\{(\w+)\}/g, (_, x: string) => kept.get(x) ?? '');
    } else if (word === 'body') body = Buffer.from(rest);
    else if (word === 'hex') body = Buffer.from(rest, 'hex');
    else if (word === 'lines') linesMax = Number(rest);
    else if (word === 'keep') keep = rest;
    else throw new Error(`no such line: ${line}`);
  }
  const answer = await ask(endpoint, method, target, headers, body, linesMax);
  if (answer === null) return 'silence';
  if (keep !== undefined) kept.set(keep, (JSON.parse(answer.body) as { token: string }).token);
  return show(answer);
}

/** null: nothing came. */
function ask(
  endpoint: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: Buffer,
  linesMax: number,
): Promise<Answer | null> {
  const [host, port] = endpoint.split(':') as [string, string];
  return new Promise((resolve, reject) => {
    const length = { 'Content-Length': String(body.length) };
    const asked = request({ host, port, method, path, headers: { ...length, ...headers }, agent: false });
    const silence = setTimeout(() => {
      resolve(null);
      asked.destroy();
    }, SILENCE_MS * 4);
    asked.on('error', reject);
    asked.on('response', (response) => {
      let text = '';
      const done = (): void => {
        clearTimeout(silence);
        clearTimeout(quiet);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        asked.destroy();
      };
      // A stream that says no more stays open; it is not waited for.
      let quiet = setTimeout(done, SILENCE_MS);
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.split('\n').length > linesMax) return done();
        clearTimeout(quiet);
        quiet = setTimeout(done, SILENCE_MS);
      });
      response.on('end', done);
    });
    asked.end(body);
  });
}

function show({ status, headers, body }: Answer): string {
  const words = [String(status)];
  const type = headers['content-type'];
  if (type !== undefined) words.push(WORDS[type as string] ?? `Content-Type=${type}`);
  if (headers['grpc-metadata-content-type'] === 'application/grpc') words.push('grpc');
  const origin = headers['access-control-allow-origin'];
  const cors = `${headers['access-control-allow-headers']}/${headers['access-control-allow-methods']}`;
  if (cors !== CORS || origin !== '*') words.push(`origin=${origin}`);
  for (const name of ['location', 'allow', 'www-authenticate', 'x-content-type-options']) {
    if (headers[name] !== undefined) words.push(`${name}=${headers[name]}`);
  }
  if (headers['content-length'] === undefined) words.push('chunked');
  const shown = inOrder(body.split('\n')).map(masked).join('\n').replace(/\n$/, '$');
  return shown === '' ? words.join(' ') : `${words.join(' ')}\n${shown.replaceAll('\n\n', '\n.\n')}`;
}

/** An etcd tells checks in any order. */
function inOrder(lines: string[]): string[] {
  const checks = lines.filter((line) => /^\[[+-]\]/.test(line));
  return [...checks.sort((a, b) => (a.slice(3) < b.slice(3) ? -1 : 1)), ...lines.slice(checks.length)];
}

const WORDS: Readonly<Record<string, string>> = {
  'application/json': 'json',
  'text/plain; charset=utf-8': 'plain',
};
const CORS = 'accept, content-type, authorization/POST, GET, OPTIONS, PUT, DELETE';

/** JSON without what differs from one run to the next; an etcd puts spaces behind its commas, in some builds. */
function masked(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    // Some builds of Go's protobuf have a no-break space where others have a space, so that nobody relies on it.
    return JSON.stringify(
      JSON.parse(line.replaceAll('\u00a0', ' ')),
      function (this: Record<string, unknown>, key: string, value: unknown) {
        if (HIDDEN.has(key)) return undefined;
        // Members' ids are hashes of their URLs; so is that of the leader, where it is no object.
        if ((key === 'ID' && 'peerURLs' in this) || (key === 'leader' && typeof value === 'string')) return undefined;
        // What is left of a lease.
        if (key === 'TTL' && 'grantedTTL' in this) return undefined;
        return key === 'name' && 'peerURLs' in this ? undefined : value;
      },
    );
  } catch {
    return line;
  }
}
