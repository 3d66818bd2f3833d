import * as grpc from '@grpc/grpc-js';
import type { Json, Method } from './contract.js';
import { decode, method } from './contract.js';

/** How a call ended: a response, or the code and text of the refusal. */
export interface Answer {
  readonly code: number;
  readonly text: string;
  readonly body: Json | null;
}

const raw = (bytes: Buffer): Buffer => bytes;
const DEADLINE_MS = 20_000;

/** One server as its clients see it: bytes in, decoded answers out. */
export class Target {
  readonly name: string;
  readonly #client: grpc.Client;

  constructor(name: string, endpoint: string) {
    this.name = name;
    this.#client = new grpc.Client(endpoint, grpc.credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.enable_retries': 0,
    });
  }

  unary(rpc: Method, request: Buffer): Promise<Answer> {
    return new Promise((resolve) => {
      const deadline = Date.now() + DEADLINE_MS;
      this.#client.makeUnaryRequest(rpc.path, raw, raw, request, { deadline }, (err, body) => {
        if (err !== null) resolve({ code: err.code, text: err.details, body: null });
        else resolve({ code: 0, text: '', body: decode(rpc.response, body as Buffer) });
      });
    });
  }

  /** One request of a stream, its one response, and the end. */
  exchange(rpc: Method, request: Buffer): Promise<Answer> {
    return new Promise((resolve) => {
      const stream = this.#client.makeBidiStreamRequest(rpc.path, raw, raw, { deadline: Date.now() + DEADLINE_MS });
      let body: Json | null = null;
      stream.on('data', (bytes: Buffer) => {
        body = decode(rpc.response, bytes);
        stream.end();
      });
      stream.on('error', () => {});
      stream.on('status', (status: grpc.StatusObject) => {
        resolve({ code: status.code, text: status.details, body });
      });
      stream.write(request);
    });
  }

  watch(): WatchStream {
    return new WatchStream(this.#client.makeBidiStreamRequest(method('Watch/Watch').path, raw, raw));
  }

  close(): void {
    this.#client.close();
  }
}

/** One event of a watcher, and what its response said beside it. */
export interface SeenEvent {
  readonly event: Json;
  readonly revision: number;
}

/**
 * A watch stream's responses, taken apart: answers to requests in their order, and the events of each watcher. Whether
 * events come in one response or in several is a matter of time, but for this: those of one revision come together.
 */
export class WatchStream {
  /** Created, cancelled and progress responses. */
  readonly answers: Json[] = [];
  /** By watcher: what it was told, from its (last) creation on. */
  readonly events = new Map<string, Json[]>();
  /** What no server may do. */
  readonly faults: string[] = [];
  end: string | null = null;
  readonly #stream: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly #last = new Map<string, number>();

  constructor(stream: grpc.ClientDuplexStream<Buffer, Buffer>) {
    this.#stream = stream;
    const { response } = method('Watch/Watch');
    stream.on('data', (bytes: Buffer) => this.#take(decode(response, bytes)));
    stream.on('error', () => {});
    stream.on('status', (status: grpc.StatusObject) => {
      this.end = `${status.code} ${status.details}`;
    });
  }

  send(request: Buffer): void {
    if (this.end === null) this.#stream.write(request);
  }

  close(): void {
    this.#stream.cancel();
  }

  #take(response: Json): void {
    const id = String(response.watch_id ?? '0');
    const events = response.events as Json[] | undefined;
    if (events === undefined) {
      if (response.created === true) {
        this.events.set(id, []);
        this.#last.delete(id);
      }
      this.answers.push(response);
      return;
    }
    const seen = this.events.get(id);
    if (seen === undefined) {
      this.faults.push(`events for watcher ${id}, which was not created`);
      return;
    }
    const header = revisionOf(response);
    for (const [i, event] of events.entries()) {
      const revision = Number((event.kv as Json).mod_revision);
      const last = this.#last.get(id) ?? 0;
      if (revision < last) this.faults.push(`watcher ${id}: revision ${revision} after ${last}`);
      if (i === 0 && revision === last) this.faults.push(`watcher ${id}: revision ${revision} in two responses`);
      if (revision > header) this.faults.push(`watcher ${id}: revision ${revision} under a header of ${header}`);
      this.#last.set(id, revision);
      seen.push(event);
    }
  }
}

export function revisionOf(response: Json | null): number {
  return Number((response?.header as Json | undefined)?.revision ?? 0);
}
