import type { Clock, TimerHandle, Timers } from '../util/env.js';
import type { ConnectionHost } from './connection.js';
import { Connection } from './connection.js';
import { thinOut } from './crowd.js';
import { DeadlineWheel } from './deadline-wheel.js';
import type { Handlers } from './handlers.js';
import type { Limits } from './limits.js';
import { LIMITS } from './limits.js';
import { Slab } from './slab.js';
import type { Socket } from './socket.js';

export interface H2ServerOptions {
  readonly handlers: Handlers;
  /** What is left out has its default in LIMITS. */
  readonly limits?: Partial<Limits>;
  readonly clock: Clock;
  readonly timers: Timers;
}

const TICK_MS = 1_000;

/** HTTP/2 connections that come from outside: it neither listens nor accepts, and needs no network. */
export class H2Server implements ConnectionHost {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly handlers: Handlers;
  readonly wheel: DeadlineWheel;
  readonly slab = new Slab();
  isCrowded = false;
  readonly #timers: Timers;
  readonly #connections = new Set<Connection>();
  #scheduled: Connection[] = [];
  #spare: Connection[] = [];
  #ticker: TimerHandle | null = null;
  #closing = false;
  #graceTimer: TimerHandle | null = null;
  #onClosed: (() => void)[] = [];
  readonly #tick = (): void => {
    this.#ticker = null;
    const now = this.clock.now();
    for (const connection of this.#connections) connection.tick(now);
    this.isCrowded = thinOut(this.#connections, this.limits.serverBytesMax);
    if (this.#connections.size > 0) this.#ticker ??= this.#timers.set(TICK_MS, this.#tick);
  };
  /** All connections in which something happened, each with one write. */
  readonly #turn = (): void => {
    const turns = this.#scheduled;
    this.#scheduled = this.#spare;
    for (const connection of turns) {
      connection.isScheduled = false;
      connection.turn();
    }
    turns.length = 0;
    this.#spare = turns;
  };

  constructor({ handlers, limits, clock, timers }: H2ServerOptions) {
    this.handlers = handlers;
    this.limits = { ...LIMITS, ...limits };
    this.clock = clock;
    this.#timers = timers;
    this.wheel = new DeadlineWheel(clock, timers);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /**
   * Serves a connection, and closes it.
   * @param initialBytes what was read of it already: the beginning of the preface, or nothing
   */
  accept(socket: Socket, initialBytes: Buffer | null = null): void {
    const connection = new Connection(this, socket);
    this.#connections.add(connection);
    this.#ticker ??= this.#timers.set(TICK_MS, this.#tick);
    connection.open(initialBytes);
    if (this.#closing) connection.drain();
  }

  /**
   * Tells every client to go, lets calls end for `graceMs`, and calls back when all connections are closed. A second
   * call may shorten the time.
   */
  close(graceMs: number, cb: () => void): void {
    this.#onClosed.push(cb);
    this.#closing = true;
    for (const connection of [...this.#connections]) connection.drain();
    if (this.#graceTimer !== null) this.#timers.clear(this.#graceTimer);
    this.#graceTimer = this.#timers.set(graceMs, () => {
      for (const connection of [...this.#connections]) connection.destroy();
    });
    this.#maybeClosed();
  }

  // --- of connections ---

  schedule(connection: Connection): void {
    this.#scheduled.push(connection);
    if (this.#scheduled.length === 1) this.#timers.defer(this.#turn);
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.#maybeClosed();
  }

  #maybeClosed(): void {
    if (!this.#closing || this.#connections.size > 0) return;
    if (this.#graceTimer !== null) this.#timers.clear(this.#graceTimer);
    if (this.#ticker !== null) this.#timers.clear(this.#ticker);
    this.#graceTimer = null;
    this.#ticker = null;
    this.wheel.stop();
    for (const cb of this.#onClosed.splice(0)) this.#timers.defer(cb);
  }
}
