import type { Rpc } from '../wire/index.js';

/** gRPC's codes, by number. */
const CODES = 17;

/** What has gone through one rpc on one member, as gRPC's metrics have it. A call pays a few additions. */
export class Tally {
  readonly rpc: Rpc;
  started = 0;
  received = 0;
  receivedBytes = 0;
  sent = 0;
  sentBytes = 0;
  /** Ended calls by code. */
  readonly handled = new Float64Array(CODES);

  constructor(rpc: Rpc) {
    this.rpc = rpc;
  }

  /** A message has come. */
  take(message: Buffer): void {
    this.received++;
    this.receivedBytes += message.length;
  }

  give(message: Buffer): void {
    this.sent++;
    this.sentBytes += message.length;
  }

  end(code: number): void {
    this.handled[code]!++;
  }
}

/** Versions that are told apart; a client may say what it likes, and beyond these it counts as one that says nothing. */
const VERSIONS_MAX = 100;

/** Calls by the version that their client says it speaks. */
export class ClientVersions {
  readonly #calls = new Map([['unknown', { count: 0 }]]);

  count(version: string | undefined): void {
    const known = this.#calls.get(version ?? 'unknown');
    if (known !== undefined) known.count++;
    else if (this.#calls.size < VERSIONS_MAX) this.#calls.set(version ?? 'unknown', { count: 1 });
    else this.count(undefined);
  }

  *[Symbol.iterator](): Generator<readonly [version: string, count: number]> {
    for (const [version, { count }] of this.#calls) yield [version, count];
  }
}
