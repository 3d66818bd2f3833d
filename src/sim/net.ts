import type { Conn, IoError, Net, NetListener } from '../util/env.js';
import type { Rng } from '../util/rng.js';
import type { Engine, Life } from './engine.js';

/** Delays in µs; drawn from integer tables, since Math.log and pow may differ between versions of V8. */
export interface NetOptions {
  readonly minDelayUs: number;
  readonly maxDelayUs: number;
  /** One chunk in so many is this much later. 0: none. */
  readonly slowOneIn: number;
  readonly slowUs: number;
  /** A connection that has been cut off for so long breaks, as TCP gives up. */
  readonly giveUpUs: number;
}

export const netDefaults: NetOptions = {
  minDelayUs: 50,
  maxDelayUs: 1500,
  slowOneIn: 100,
  slowUs: 40_000,
  giveUpUs: 10_000_000,
};

const HIGH_WATER = 1 << 20;

interface Host {
  readonly name: string;
  life: Life | null;
  readonly listeners: Map<string, (conn: Conn) => void>;
  readonly conns: Set<SimConn>;
}

/**
 * A network of hosts in virtual time. Connections are TCP's: bytes come in order and once, or not at all once the
 * connection broke. What a cut holds back is delivered when it heals, unless the connection broke meanwhile.
 */
export class SimNet {
  readonly #engine: Engine;
  readonly #rng: Rng;
  readonly options: NetOptions;
  readonly #hosts = new Map<string, Host>();
  readonly #addresses = new Map<string, Host>();
  /** `from>to` of directions that are cut. */
  readonly #cut = new Set<string>();
  /** `from>to` of directions that are slow: by how many µs at most. */
  readonly #clogged = new Map<string, number>();
  /** `from>to` of directions whose buffers count as full. */
  readonly #swamped = new Set<string>();
  #nextPort = 10_000;

  constructor(engine: Engine, rng: Rng, options: Partial<NetOptions> = {}) {
    this.#engine = engine;
    this.#rng = rng;
    this.options = { ...netDefaults, ...options };
  }

  /** The network as a process on `name` sees it, for one life of it. */
  attach(name: string, life: Life): Net {
    const host = this.#host(name);
    host.life = life;
    return {
      listen: (address, onConn, cb) => this.#listen(host, life, address, onConn, cb),
      dial: (address) => this.#dial(host, life, address),
    };
  }

  #host(name: string): Host {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = { name, life: null, listeners: new Map(), conns: new Set() };
      this.#hosts.set(name, host);
    }
    return host;
  }

  /** The process on a host is gone: its peers' connections are reset, as by a kernel that outlives it. */
  down(name: string): void {
    const host = this.#host(name);
    for (const address of host.listeners.keys()) this.#addresses.delete(address);
    host.listeners.clear();
    host.life = null;
    for (const conn of [...host.conns]) conn.die('ECONNRESET');
  }

  /** Ends of connections that a host has. */
  connections(name: string): number {
    return this.#hosts.get(name)?.conns.size ?? 0;
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
    this.#giveUpLater(from, to);
  }

  heal(from: string, to: string): void {
    if (!this.#cut.delete(`${from}>${to}`)) return;
    for (const conn of this.#hosts.get(from)?.conns ?? []) if (conn.peer?.host === to) conn.pushHeld();
  }

  healAll(): void {
    for (const pair of [...this.#cut]) {
      const [from, to] = pair.split('>') as [string, string];
      this.heal(from, to);
    }
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from}>${to}`);
  }

  /** Everything from one host to another takes up to so much longer. */
  clog(from: string, to: string, extraUs: number): void {
    this.#clogged.set(`${from}>${to}`, extraUs);
  }

  unclog(from: string, to: string): void {
    this.#clogged.delete(`${from}>${to}`);
  }

  unclogAll(): void {
    this.#clogged.clear();
    this.#swamped.clear();
  }

  /** To whoever asks, all that may wait on the way from one host to another waits there already. */
  swamp(from: string, to: string): void {
    this.#swamped.add(`${from}>${to}`);
  }

  unswamp(from: string, to: string): void {
    this.#swamped.delete(`${from}>${to}`);
  }

  isSwamped(from: string, to: string): boolean {
    return this.#swamped.size > 0 && this.#swamped.has(`${from}>${to}`);
  }

  /** Breaks every connection between two hosts; what was under way is lost. */
  breakConns(a: string, b: string): void {
    for (const conn of [...(this.#hosts.get(a)?.conns ?? [])]) {
      if (conn.peer?.host === b) conn.break('ECONNRESET');
    }
  }

  #giveUpLater(from: string, to: string): void {
    const conns = [...(this.#hosts.get(from)?.conns ?? [])].filter((conn) => conn.peer?.host === to);
    this.#engine.schedule(this.options.giveUpUs, () => {
      if (!this.isCut(from, to)) return;
      for (const conn of conns) conn.break('ETIMEDOUT');
    });
  }

  /** How long the next thing from one host to another takes. */
  linkDelayUs(from: string, to: string): number {
    const extra = this.#clogged.size === 0 ? undefined : this.#clogged.get(`${from}>${to}`);
    return this.delayUs() + (extra === undefined ? 0 : this.#rng.below(extra + 1));
  }

  delayUs(): number {
    const { minDelayUs, maxDelayUs, slowOneIn, slowUs } = this.options;
    const slow = slowOneIn > 0 && this.#rng.chance(1, slowOneIn) ? slowUs : 0;
    return minDelayUs + this.#rng.below(maxDelayUs - minDelayUs + 1) + slow;
  }

  #listen(
    host: Host,
    life: Life,
    address: string,
    onConn: (conn: Conn) => void,
    cb: (err: Error | null, listener: NetListener | null) => void,
  ): void {
    const at = address.endsWith(':0') ? `${address.slice(0, -1)}${this.#nextPort++}` : address;
    life.schedule(1, () => {
      if (this.#addresses.has(at)) return cb(netError('EADDRINUSE', at), null);
      this.#addresses.set(at, host);
      host.listeners.set(at, onConn);
      cb(null, {
        address: at,
        close: (closed) => {
          if (host.listeners.get(at) === onConn) {
            host.listeners.delete(at);
            this.#addresses.delete(at);
          }
          if (closed !== undefined) life.schedule(1, closed);
        },
      });
    });
  }

  #dial(host: Host, life: Life, address: string): Conn {
    const near = new SimConn(this, this.#engine, host.name, life, address);
    host.conns.add(near);
    near.onGone = () => host.conns.delete(near);
    this.#knock(near, host, address);
    return near;
  }

  /** The first packet; without an answer it is tried again, as TCP does, until the dialer gives up. */
  #knock(near: SimConn, host: Host, address: string): void {
    this.#engine.schedule(this.delayUs(), () => {
      if (near.closed) return;
      const target = this.#addresses.get(address);
      if (target === undefined) return near.break('ECONNREFUSED');
      if (this.isCut(host.name, target.name) || this.isCut(target.name, host.name)) {
        this.#engine.schedule(200_000, () => this.#knock(near, host, address));
        return;
      }
      const onConn = target.listeners.get(address);
      if (onConn === undefined || target.life === null) return near.break('ECONNREFUSED');
      const far = new SimConn(this, this.#engine, target.name, target.life, host.name);
      target.conns.add(far);
      far.onGone = () => target.conns.delete(far);
      near.peer = far;
      far.peer = near;
      far.opened = true;
      target.life.run(() => onConn(far));
      near.open();
    });
  }
}

interface Flight {
  readonly at: number;
  readonly chunk: Buffer;
}

/** One end of a connection. */
class SimConn implements Conn {
  onOpen: (() => void) | null = null;
  onData: ((chunk: Buffer) => void) | null = null;
  onClose: ((err: IoError | null) => void) | null = null;
  onDrain: (() => void) | null = null;
  onGone: (() => void) | null = null;
  peer: SimConn | null = null;
  opened = false;
  closed = false;
  #pendingBytes = 0;
  readonly remote: string;
  readonly host: string;
  readonly #net: SimNet;
  readonly #engine: Engine;
  readonly #life: Life;
  /** When the last chunk arrives: the next one does not overtake it, nor come at the same moment. */
  #lastAt = 0;
  readonly #held: Flight[] = [];
  #waitsForDrain = false;

  constructor(net: SimNet, engine: Engine, host: string, life: Life, remote: string) {
    this.#net = net;
    this.#engine = engine;
    this.host = host;
    this.#life = life;
    this.remote = remote;
  }

  get pendingBytes(): number {
    const full = this.peer !== null && this.#net.isSwamped(this.host, this.peer.host);
    return full ? Number.MAX_SAFE_INTEGER : this.#pendingBytes;
  }

  open(): void {
    this.opened = true;
    this.#engine.schedule(this.#net.delayUs(), () => {
      if (!this.closed) this.#life.run(() => this.onOpen?.());
    });
  }

  write(chunks: Buffer[]): boolean {
    if (this.closed) return false;
    // Copied: the buffers are the sender's, who may use them again.
    const chunk = Buffer.concat(chunks);
    this.#pendingBytes += chunk.length;
    this.#send({ at: 0, chunk });
    if (this.#pendingBytes < HIGH_WATER) return true;
    this.#waitsForDrain = true;
    return false;
  }

  #send(flight: Flight): void {
    const to = this.peer;
    if (to === null) return;
    if (this.#held.length > 0 || this.#net.isCut(this.host, to.host)) {
      this.#held.push(flight);
      return;
    }
    const at = Math.max(this.#engine.now + this.#net.linkDelayUs(this.host, to.host), this.#lastAt + 1);
    this.#lastAt = at;
    this.#engine.schedule(at - this.#engine.now, () => {
      this.#pendingBytes -= flight.chunk.length;
      to.deliver(flight.chunk);
      if (this.#waitsForDrain && this.#pendingBytes < HIGH_WATER / 2 && !this.closed) {
        this.#waitsForDrain = false;
        this.#life.run(() => this.onDrain?.());
      }
    });
  }

  pushHeld(): void {
    for (const flight of this.#held.splice(0)) this.#send(flight);
  }

  deliver(chunk: Buffer): void {
    if (this.closed) return;
    this.#life.run(() => {
      if (!this.closed) this.onData?.(chunk);
    });
  }

  destroy(): void {
    if (this.closed) return;
    this.#end();
    const far = this.peer;
    if (far === null) return;
    // Behind what was written before.
    const at = Math.max(this.#engine.now + this.#net.delayUs(), this.#lastAt + 1);
    this.#engine.schedule(at - this.#engine.now, () => far.closeWith(null));
  }

  /** The network gave up on it: both ends hear of it. */
  break(code: string): void {
    const far = this.peer;
    this.closeWith(netError(code, this.remote));
    far?.closeWith(netError(code, far.remote));
  }

  /** Our process died: only the other end is left to hear of it. */
  die(code: string): void {
    if (this.closed) return;
    this.#end();
    const far = this.peer;
    if (far !== null) this.#engine.schedule(this.#net.delayUs(), () => far.closeWith(netError(code, far.remote)));
  }

  closeWith(err: IoError | null): void {
    if (this.closed) return;
    this.#end();
    this.#life.run(() => this.onClose?.(err));
  }

  #end(): void {
    this.closed = true;
    this.#held.length = 0;
    this.onGone?.();
  }
}

function netError(code: string, what: string): IoError {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
