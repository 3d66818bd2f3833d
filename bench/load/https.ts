import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { Histogram } from './histogram.js';

/** How to reach one API server. */
export interface Target {
  readonly port: number;
  readonly token: string;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly accept?: string;
}

export interface Closed {
  done: number;
  failed: number;
  bytes: number;
  elapsedMs: number;
  latency: Histogram;
  /** Of the first that failed. */
  problem: string;
}

/** Requests of the API over kept connections; answers are counted, not parsed. */
export class HttpsLoad {
  readonly #target: Target;
  readonly #agent: Agent;

  constructor(target: Target) {
    this.#target = target;
    // Its certificate is its own; who it is does not matter here.
    this.#agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @returns status, and the body as it came */
  async call(call: Call): Promise<{ status: number; body: Buffer }> {
    const response = await this.open(call);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
  }

  /** Resolves with the head of the answer. */
  open({ method, path, body, accept = 'application/json' }: Call): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        host: '127.0.0.1',
        port: this.#target.port,
        agent: this.#agent,
        method,
        path,
        headers: {
          authorization: `Bearer ${this.#target.token}`,
          accept,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      });
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  /** So many at once, each after its answer the next, until `next` has no more or the time is over. */
  async closed(atOnce: number, durationMs: number, next: () => Call | null): Promise<Closed> {
    const result: Closed = { done: 0, failed: 0, bytes: 0, elapsedMs: 0, latency: new Histogram(), problem: '' };
    const began = performance.now();
    const worker = async () => {
      for (;;) {
        const from = performance.now();
        const call = from - began < durationMs ? next() : null;
        if (call === null) return;
        const { status, body } = await this.call(call);
        if (status >= 300) {
          result.failed++;
          result.problem ||= `${call.method} ${call.path}: ${status} ${body.toString('utf8', 0, 300)}`;
          continue;
        }
        result.done++;
        result.bytes += body.length;
        result.latency.record(performance.now() - from);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    result.elapsedMs = performance.now() - began;
    return result;
  }
}
