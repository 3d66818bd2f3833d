import { writeSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Failpoint } from '../util/failpoint.js';
import { failpoints, onFailpoint } from '../util/failpoint.js';
import type { Term, Terms } from './gofail-terms.js';
import { parseSettings, parseTerms, sleepMs } from './gofail-terms.js';
import type { GofailListening, GofailRequest, GofailResponse } from './gofail-worker.js';
import { gofailWorker, REQUESTS, RESPONSES } from './gofail-worker.js';

/** How long a panic waits for answers that are on their way out, ms: the client that set it hears that it is set. */
const LAST_ANSWERS_MS = 200;

/** The endpoint, or what failed, or why the settings cannot be read. */
export class GofailError extends Error {
  readonly code = 'ERR_GOFAIL';
}

/**
 * The failpoints of this process, driven as gofail drives etcd's (etcd operations §7): by `GOFAIL_FAILPOINTS` at the
 * start and over HTTP at `GOFAIL_HTTP`. There is one thread here, so a sleep holds up the whole member, where in etcd
 * it holds up the loop it stands in; HTTP is answered nevertheless.
 */
export class Gofail {
  readonly #terms = new Map<string, Terms>();
  #worker: Worker | null = null;
  /** Requests, and answers; drained also from within a sleep. */
  #port: MessagePort | null = null;
  readonly #signals = new Int32Array(new SharedArrayBuffer(8));
  #answered = 0;
  /** host:port that was bound; null: HTTP was not asked for. */
  address: string | null = null;

  /**
   * Takes the settings of the environment.
   * @returns null where there are none, and then nothing is on and no thread runs
   * @throws GofailError for settings that cannot be read or an address that cannot be had
   */
  static async start(env: { GOFAIL_FAILPOINTS?: string; GOFAIL_HTTP?: string }): Promise<Gofail | null> {
    const { GOFAIL_FAILPOINTS: settings = '', GOFAIL_HTTP: http = '' } = env;
    if (settings === '' && http === '') return null;
    const gofail = new Gofail();
    const parsed = parseSettings(settings);
    if (parsed === null) throw new GofailError(`fail to parse failpoint: bad failpoint ${JSON.stringify(settings)}`);
    onFailpoint((failpoint) => gofail.#hit(failpoint));
    // A name that is not known is for another version; terms that cannot be read leave it off. As gofail does.
    for (const [name, terms] of parsed) {
      const problem = gofail.enable(name, terms);
      if (problem === BAD_TERMS) print(`failed to enable "${name}=${terms}" (${problem})`);
    }
    if (http !== '') await gofail.#listen(http);
    return gofail;
  }

  /** @returns what is wrong, or null */
  enable(name: string, text: string): string | null {
    const failpoint = failpoints().get(name);
    if (failpoint === undefined) return NO_SUCH;
    const terms = parseTerms(text);
    if (terms === null) return BAD_TERMS;
    this.#terms.set(name, terms);
    failpoint.on = true;
    return null;
  }

  /** @returns what is wrong, or null */
  disable(name: string): string | null {
    const failpoint = failpoints().get(name);
    if (failpoint === undefined) return NO_SUCH;
    if (!failpoint.on) return DISABLED;
    this.#terms.delete(name);
    failpoint.on = false;
    return null;
  }

  /** Ends the endpoint's thread and turns everything off. */
  async stop(): Promise<void> {
    onFailpoint(null);
    for (const name of [...this.#terms.keys()]) this.disable(name);
    this.#port?.close();
    await this.#worker?.terminate();
  }

  // --- what a hit does ---

  #hit(failpoint: Failpoint): void {
    const term = this.#terms.get(failpoint.name)?.next(Math.random) ?? null;
    if (term === null) return;
    switch (term.act) {
      case 'panic':
        return this.#panic(failpoint, term);
      case 'sleep':
        return this.#sleep(failpoint, term);
      case 'print':
        return print(`failpoint print: ${failpoint.name}`);
      case 'break':
        return print(`failpoint: no debugger for break on ${failpoint.name}`);
      case 'return':
      case 'off':
        // None of our places asks for a value.
        return;
    }
  }

  /** Ends the process as Go's panic does: status 2, the reason on stderr, nothing flushed or closed. */
  #panic(failpoint: Failpoint, { value }: Term): void {
    const until = performance.now() + LAST_ANSWERS_MS;
    for (;;) {
      const left = Atomics.load(this.#signals, RESPONSES);
      const ms = until - performance.now();
      if (left >= this.#answered || ms <= 0) break;
      Atomics.wait(this.#signals, RESPONSES, left, ms);
    }
    writeSync(2, `panic: failpoint panic: ${value ?? '{}'}\n\nfailpoint ${failpoint.name}\n`);
    process.exit(2);
  }

  #sleep(failpoint: Failpoint, { value }: Term): void {
    const ms = sleepMs(value);
    if (ms === null) return print(`failpoint: ignoring sleep(${value}) on ${failpoint.name}`);
    const until = performance.now() + ms;
    for (;;) {
      const seen = Atomics.load(this.#signals, REQUESTS);
      this.#drain();
      const left = until - performance.now();
      if (left <= 0) return;
      Atomics.wait(this.#signals, REQUESTS, seen, left);
    }
  }

  // --- HTTP ---

  async #listen(address: string): Promise<void> {
    const colon = address.lastIndexOf(':');
    const host = address.slice(0, Math.max(colon, 0)).replace(/^\[(.*)\]$/, '$1');
    const port = Number(address.slice(colon + 1));
    if (colon < 0 || !Number.isInteger(port)) throw new GofailError(`GOFAIL_HTTP: bad address ${address}`);
    const { port1, port2 } = new MessageChannel();
    const text = `(${gofailWorker.toString()})(require)`;
    const worker = new Worker(text, {
      eval: true,
      name: 'gofail',
      workerData: { host, port, signals: this.#signals, channel: port2 },
      transferList: [port2],
    });
    this.#worker = worker;
    this.#port = port1;
    const listening = await new Promise<GofailListening>((resolve, reject) => {
      worker.once('error', reject);
      port1.once('message', resolve);
    });
    worker.unref();
    if (listening.error !== null) {
      await worker.terminate();
      port1.close();
      throw new GofailError(`listen tcp ${address}: ${listening.error}`);
    }
    this.address = listening.address;
    port1.on('message', (request: GofailRequest) => this.#answer(request));
    port1.unref();
  }

  #drain(): void {
    if (this.#port === null) return;
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port)) {
      this.#answer(next.message as GofailRequest);
    }
  }

  #answer(request: GofailRequest): void {
    this.#answered++;
    const { status, headers, body } = this.#respond(request);
    this.#port?.postMessage({ id: request.id, status, headers, body } satisfies GofailResponse);
  }

  #respond({ method, path, body }: GofailRequest): Answer {
    if (!path.startsWith('/')) return error(400, 'malformed request URI');
    const name = path.slice(1);
    switch (method) {
      case 'GET':
        if (name === '') return text(200, `${this.#list().join('\n')}\n`);
        if (name.endsWith('/count')) return this.#count(name.slice(0, -'/count'.length));
        return this.#status(name);
      case 'PUT':
        return this.#put(name, body);
      case 'DELETE': {
        const problem = this.disable(name);
        return problem === null ? NO_CONTENT : error(400, `failed to delete failpoint ${problem}`);
      }
      default: {
        const answer = error(405, 'Method not allowed');
        return { ...answer, headers: [['Allow', 'PUT'], ...answer.headers] };
      }
    }
  }

  #list(): string[] {
    return [...failpoints().keys()].sort().map((name) => `${name}=${this.#terms.get(name)?.text ?? ''}`);
  }

  #problem(name: string): string | null {
    if (!failpoints().has(name)) return NO_SUCH;
    return this.#terms.has(name) ? null : DISABLED;
  }

  #status(name: string): Answer {
    const problem = this.#problem(name);
    if (problem === null) return text(200, `${this.#terms.get(name)?.text}\n`);
    // gofail goes on after the error, and writes the empty status too.
    return error(404, `failed to GET: ${problem}`, '\n');
  }

  #count(name: string): Answer {
    const problem = this.#problem(name);
    if (problem === null) return text(200, String(this.#terms.get(name)?.count));
    return error(problem === NO_SUCH ? 404 : 500, `failed to GET: ${problem}`);
  }

  #put(name: string, body: string): Answer {
    let settings: Map<string, string> | null = new Map([[name, body]]);
    if (name.toLowerCase() === 'failpoints') {
      settings = parseSettings(body);
      if (settings === null) return error(400, `fail to parse failpoint: bad failpoint ${JSON.stringify(body)}`);
    }
    for (const [each, terms] of settings) {
      const problem = this.enable(each, terms);
      if (problem !== null) return error(400, `fail to set failpoint: ${problem}`);
    }
    return NO_CONTENT;
  }
}

const NO_SUCH = 'failpoint: failpoint does not exist';
const DISABLED = 'failpoint: failpoint is disabled';
const BAD_TERMS = 'failpoint: could not parse terms';

interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

const NO_CONTENT: Answer = { status: 204, headers: [], body: '' };

function text(status: number, body: string): Answer {
  const headers = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(body))],
  ] as const;
  return { status, headers, body };
}

/** As Go's http.Error. */
function error(status: number, message: string, more = ''): Answer {
  const body = `${message}\n${more}`;
  const headers = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Length', String(Buffer.byteLength(body))],
  ] as const;
  return { status, headers, body };
}

function print(line: string): void {
  writeSync(1, `${line}\n`);
}
