import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { REPO_ROOT } from '../../support/binaries.js';
import type { Answer, H2Stream } from './h2-client.js';
import { framed, H2Client } from './h2-client.js';
import type { Method } from './proto.js';
import { decode, encode, methodOf } from './proto.js';

/**
 * Scripts of calls, in test/testdata/rpc. A step is a command, `----` and what it printed:
 *
 *   call KV/Put {"key":"a","value":"1"}
 *   ----
 *   0 {"header":{"revision":2}}
 *
 * | command | does |
 * |---|---|
 * | `call Service/Rpc {json} [header=value ...]` | one request, prints code, text, responses |
 * | `body Service/Rpc hex [header=value ...]` | the same with these bytes as the whole body, framing included |
 * | `path /a.B/C` | an empty request to any path |
 * | `open name Service/Rpc` | begins a call with streams |
 * | `send name {json}`, `send-hex name hex` | one message |
 * | `recv name [n]` | prints the next n messages (1), or `silence` |
 * | `half-close name`, `cancel name` | |
 * | `end name` | prints how the call ended |
 * | `pause` | waits as long as for silence |
 * | `tcp "bytes"` | sends bytes on a plain connection, prints what comes back until it is closed, or for half a second |
 *
 * Bytes are latin1 strings. Ids, terms, log indexes and sizes are left out of what is printed, and so are versions.
 * A step with `# keel only: why` above it is for our own server; a comment stays where it is.
 */
export interface Step {
  comments: string[];
  command: string;
  expected: string;
  keelOnly: boolean;
}

const SILENCE_MS = 300;
const HIDDEN = new Set(
  'cluster_id member_id raft_term raftTerm raftIndex raftAppliedIndex leader dbSize dbSizeInUse'
    .concat(' storageVersion dbSizeQuota downgradeInfo hash_revision peerURLs clientURLs')
    .split(' '),
);

export const scriptPath = (name: string): string => join(REPO_ROOT, 'test', 'testdata', 'rpc', name);

export function readScript(name: string): Step[] {
  const steps: Step[] = [];
  for (const block of readFileSync(scriptPath(name), 'utf8').split(/\n\n+/)) {
    const lines = block.split('\n').filter((line) => line !== '');
    const comments = lines.filter((line) => line.startsWith('#'));
    const [command, , ...expected] = lines.filter((line) => !line.startsWith('#'));
    if (command === undefined) continue;
    const keelOnly = comments.some((line) => line.startsWith('# keel only'));
    steps.push({ comments, command, expected: expected.join('\n'), keelOnly });
  }
  return steps;
}

export function writeScript(name: string, steps: readonly Step[], outputs: readonly string[]): void {
  const blocks = steps.map((step, i) => [...step.comments, step.command, '----', outputs[i]].join('\n'));
  writeFileSync(scriptPath(name), `${blocks.join('\n\n')}\n`);
}

/** Runs the steps one after the other. @returns what each printed */
export async function runScript(endpoint: string, steps: readonly Step[]): Promise<string[]> {
  const runner = new Runner(endpoint);
  const outputs: string[] = [];
  try {
    for (const step of steps) outputs.push(await runner.run(step.command));
  } finally {
    runner.close();
  }
  return outputs;
}

class Runner {
  readonly #client: H2Client;
  readonly #endpoint: string;
  readonly #streams = new Map<string, { stream: H2Stream; method: Method }>();

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#client = new H2Client(endpoint);
  }

  close(): void {
    this.#client.close();
  }

  async run(command: string): Promise<string> {
    const [, verb, name = '', rest = ''] = /^(\S+)(?: (\S+))?(?: (.*))?$/s.exec(command) as unknown as string[];
    const { text, headers } = splitHeaders(rest);
    switch (verb) {
      case 'call': {
        const method = methodOf(name);
        return show(await this.#client.unary(method.path, encode(method.request, JSON.parse(text)), headers), method);
      }
      case 'body': {
        const method = methodOf(name);
        return show(await this.#client.raw(method.path, Buffer.from(text, 'hex'), headers), method);
      }
      case 'path':
        return show(await this.#client.raw(name, framed(Buffer.alloc(0))), null);
      case 'open': {
        const method = methodOf(text);
        this.#streams.set(name, { stream: this.#client.stream(method.path, headers), method });
        return 'ok';
      }
      case 'pause':
        await new Promise((done) => setTimeout(done, SILENCE_MS));
        return 'ok';
      case 'tcp':
        return this.#tcp(JSON.parse(command.slice(4)));
      default:
        return this.#onStream(verb as string, name, text);
    }
  }

  async #onStream(verb: string, name: string, text: string): Promise<string> {
    const open = this.#streams.get(name);
    if (open === undefined) throw new Error(`no stream ${name}`);
    const { stream, method } = open;
    switch (verb) {
      case 'send':
        stream.send(encode(method.request, JSON.parse(text)));
        return 'ok';
      case 'send-hex':
        stream.send(Buffer.from(text, 'hex'));
        return 'ok';
      case 'recv': {
        const lines: string[] = [];
        for (let i = 0; i < Number(text || 1); i++) {
          const message = await stream.next(SILENCE_MS);
          lines.push(typeof message === 'string' ? message : message === null ? 'end' : body(method, message));
        }
        return lines.join('\n');
      }
      case 'half-close':
        stream.halfClose();
        return 'ok';
      case 'cancel':
        stream.cancel();
        return 'ok';
      case 'end': {
        const { code, message } = await stream.ended;
        return `${code} ${message}`.trim();
      }
      default:
        throw new Error(`no verb ${verb}`);
    }
  }

  #tcp(text: string): Promise<string> {
    const colon = this.#endpoint.lastIndexOf(':');
    return new Promise((resolve) => {
      const socket = connect(Number(this.#endpoint.slice(colon + 1)), this.#endpoint.slice(0, colon));
      let got = '';
      const done = (how: string): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(`${JSON.stringify(masked(got))} ${how}`);
      };
      const timer = setTimeout(() => done('open'), 500);
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => done('closed'));
      socket.write(Buffer.from(text, 'latin1'));
    });
  }
}

/** An HTTP answer without its date, its header in the order of the alphabet. */
function masked(answer: string): string {
  const [head, ...rest] = answer.split('\r\n\r\n');
  const [first, ...fields] = (head as string).split('\r\n').filter((line) => !line.startsWith('Date: '));
  const body = rest.join('\r\n\r\n').replace(/"\d+\.\d+\.\d+"/g, '"V"');
  return [first, ...fields.sort(), '', body].join('\r\n').trimEnd();
}

/** `{json} a=b c=d` */
function splitHeaders(rest: string): { text: string; headers: Record<string, string> } {
  const headers: Record<string, string> = {};
  let text = rest;
  for (
    let m = /^(.*?) ?([a-z:-]+)=([^\s"{}]+)$/s.exec(text);
    m !== null;
    m = /^(.*?) ?([a-z:-]+)=([^\s"{}]+)$/s.exec(text)
  ) {
    headers[m[2] as string] = m[3] as string;
    text = m[1] as string;
  }
  return { text, headers };
}

function show(answer: Answer, method: Method | null): string {
  const status = answer.code === 0 ? '' : ` ${answer.message}`;
  const messages = method === null ? [] : answer.messages.map((message) => ` ${body(method, message)}`);
  return `${answer.http === 200 ? '' : `http ${answer.http} `}${answer.code}${status}${messages.join('')}`;
}

function body(method: Method, message: Buffer): string {
  const isHash = method.path.endsWith('/Hash');
  return JSON.stringify(decode(method.response, message), (key, value) =>
    (HIDDEN.has(key) && !(key === 'leader' && typeof value === 'object')) ||
    (isHash && key === 'hash') ||
    (key === 'version' && typeof value === 'string') ||
    (key === 'ID' && typeof value === 'number' && value > 2 ** 40)
      ? undefined
      : value,
  );
}
