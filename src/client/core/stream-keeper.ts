import type { TimerHandle } from '../../util/env.js';
import type { Endpoint } from './endpoints.js';
import type { Status } from './status.js';
import { cannotServe, judgeStream } from './status.js';
import type { Link } from './token.js';
import { callMetadata } from './token.js';
import type { Stream } from './transport.js';

/** Wait before the stream is opened again when it was refused or lost by all endpoints in turn. */
const REOPEN_MIN_MS = 25;
const REOPEN_MAX_MS = 1000;
/** How often "your token is stale" may be the end of the stream, without an answer in between. */
const TOKEN_REFRESH_MAX = 3;

export interface StreamOwner {
  /** A stream to an endpoint; requests may be sent. That it stands is known with the first answer only. */
  opened(): void;
  message(reply: Buffer): void;
  /** It ended and will be opened again, elsewhere if there is an elsewhere. */
  lost(): void;
  /** It ended with something that no other endpoint cures. The keeper rests. */
  failed(status: Status): void;
}

/**
 * Keeps one bidirectional stream open as long as it is wanted: chooses the endpoint, sends the token along,
 * and goes to the next endpoint with a growing wait when it breaks.
 *
 *   resting --want--> waiting --> open --broken--> waiting        any --rest--> resting, --close--> closed
 */
export class StreamKeeper {
  readonly #link: Link;
  readonly #path: string;
  readonly #requireLeader: boolean;
  readonly #owner: StreamOwner;
  #wanted = false;
  #stream: Stream | null = null;
  #endpoint: Endpoint | null = null;
  #timer: TimerHandle | null = null;
  /** A fetch of the token is under way for this number of opening; an older one is void. */
  #opening = 0;
  #failures = 0;
  #refreshes = 0;
  #tokenGeneration = 0;

  constructor(link: Link, path: string, requireLeader: boolean, owner: StreamOwner) {
    this.#link = link;
    this.#path = path;
    this.#requireLeader = requireLeader;
    this.#owner = owner;
  }

  get open(): boolean {
    return this.#stream !== null;
  }

  /** The endpoint of the open stream. */
  get url(): string | null {
    return this.#endpoint?.url ?? null;
  }

  want(): void {
    if (this.#wanted || this.#link.closed) return;
    this.#wanted = true;
    this.#failures = 0;
    // Not within the call: the owner's caller has not seen its handle yet.
    this.#wait(0);
  }

  send(request: Buffer): void {
    this.#stream?.send(request);
  }

  /** The stream answered: its endpoint is well. */
  good(): void {
    this.#failures = 0;
    this.#refreshes = 0;
    if (this.#endpoint !== null) this.#link.endpoints.good(this.#endpoint);
  }

  /** Opens anew with a new token; the owner hears `lost`. */
  restart(): void {
    this.#link.tokens.stale(this.#tokenGeneration);
    this.#drop();
    this.#owner.lost();
    if (this.#wanted) this.#wait(0);
  }

  /** The endpoint is silent: leave it. */
  abandon(): void {
    if (this.#endpoint !== null) this.#link.endpoints.suspect(this.#endpoint);
    this.#drop();
    this.#owner.lost();
    if (this.#wanted) this.#wait(0);
  }

  rest(): void {
    this.#wanted = false;
    this.#opening++;
    this.#drop();
    if (this.#timer !== null) this.#link.env.timers.clear(this.#timer);
    this.#timer = null;
  }

  close(): void {
    this.rest();
  }

  #drop(): void {
    this.#stream?.cancel();
    this.#stream = null;
    this.#endpoint = null;
  }

  #wait(ms: number): void {
    if (this.#timer !== null) this.#link.env.timers.clear(this.#timer);
    this.#timer = this.#link.env.timers.set(ms, () => {
      this.#timer = null;
      this.#open();
    });
  }

  #open(): void {
    if (!this.#wanted || this.#stream !== null) return;
    const { endpoints, tokens } = this.#link;
    if (!tokens.ready) {
      const opening = ++this.#opening;
      tokens.fetch((status) => {
        if (opening !== this.#opening || !this.#wanted) return;
        if (status === null) this.#open();
        else if (judgeStream(status) === 'retry') this.#wait(this.#backoff());
        else this.#fail(status);
      });
      return;
    }
    const endpoint = endpoints.pick(null);
    if (endpoint === null) {
      this.#wait(endpoints.readyInMs());
      return;
    }
    this.#tokenGeneration = tokens.generation;
    const stream: Stream = endpoints.connection(endpoint).stream(
      this.#path,
      { timeoutMs: 0, metadata: callMetadata(tokens, this.#requireLeader) },
      {
        message: (reply) => {
          if (stream === this.#stream) this.#owner.message(reply);
        },
        end: (status) => {
          if (stream === this.#stream) this.#ended(status);
        },
      },
    );
    this.#stream = stream;
    this.#endpoint = endpoint;
    this.#owner.opened();
  }

  #ended(status: Status): void {
    const endpoint = this.#endpoint;
    this.#stream = null;
    this.#endpoint = null;
    const verdict = judgeStream(status);
    if (endpoint !== null) {
      if (!status.sent) this.#link.endpoints.lost(endpoint);
      else if (cannotServe(status)) this.#link.endpoints.suspect(endpoint);
    }
    if (verdict === 'final') return this.#fail(status);
    if (verdict === 'authenticate') {
      if (!this.#link.tokens.used || this.#refreshes++ >= TOKEN_REFRESH_MAX) return this.#fail(status);
      this.#link.tokens.stale(this.#tokenGeneration);
    }
    this.#owner.lost();
    if (this.#wanted) this.#wait(this.#backoff());
  }

  #fail(status: Status): void {
    this.#wanted = false;
    this.#owner.failed(status);
  }

  /** Nothing for the first round of endpoints, then longer and longer. */
  #backoff(): number {
    const round = Math.floor(this.#failures++ / Math.max(1, this.#link.endpoints.size));
    if (round === 0) return 0;
    const base = Math.min(REOPEN_MAX_MS, REOPEN_MIN_MS * 2 ** Math.min(round, 10));
    return base + this.#link.env.rng.below(Math.ceil(base / 4));
  }
}
