import type { InitialMember, Member, MemberConfig } from '../server/index.js';
import { openMember } from '../server/index.js';
import type { Env } from '../util/env.js';
import type { Logger } from '../util/log.js';
import { nullLogger } from '../util/log.js';
import type { Rng } from '../util/rng.js';
import { simCrypto } from './crypto.js';
import type { CrashMode } from './disk.js';
import { SimDisk } from './disk.js';
import type { SimDiskOptions } from './disk-faults.js';
import type { Engine, SimTimer } from './engine.js';
import { Life } from './engine.js';
import type { SimNet } from './net.js';
import type { SimLevelOptions } from './store.js';
import { SimLevel } from './store.js';

export interface NodeOptions {
  readonly config: MemberConfig;
  readonly logger?: Logger;
  /** Parts in a million by which this node's clock runs fast or slow. */
  readonly driftPpm?: number;
  readonly disk?: Partial<SimDiskOptions>;
  readonly store?: Partial<SimLevelOptions>;
}

/** What somebody who watches a node from outside may hear. */
export interface NodeWatcher {
  /** A process has opened its folder; nothing has been applied yet. */
  opened(node: SimNode, member: Member): void;
  /** It has ended, by itself or not. */
  ended(node: SimNode): void;
}

/**
 * One machine of the simulated cluster: a disk that survives, and a process of the production rooms that is started,
 * paused and killed.
 */
export class SimNode {
  readonly name: string;
  readonly disk: SimDisk;
  readonly stores: SimLevel;
  readonly #engine: Engine;
  readonly #net: SimNet;
  readonly #rng: Rng;
  #options: NodeOptions;
  #opened = false;
  readonly #logger: Logger;
  #life: Life | null = null;
  #lives = 0;
  /** Of the running process, once it is open. */
  member: Member | null = null;
  /** What made the last process stop by itself. */
  failure: Error | null = null;
  /** Hears of each process that stops by itself. */
  onFailure: ((err: Error) => void) | null = null;
  /** Hears of each process that serves clients from now on. */
  onReady: (() => void) | null = null;
  /** Hears that the process has ended because its member was removed. */
  onRemoved: ((memberId: bigint) => void) | null = null;
  watcher: NodeWatcher | null = null;
  /** Opens the client port of a process. */
  #clientPort: ((member: Member, env: Env) => void) | null = null;
  #openClientPort: (() => void) | null = null;
  /** The running process serves clients. */
  ready = false;
  /** Bits of its disk have flipped. */
  rotten = false;
  /** It was removed from its cluster, and is to stop by itself as soon as it hears of it. */
  leaving = false;
  /** It has stopped, and is not started again. */
  gone = false;
  /** ms by which the clock on the wall is wrong; it may jump. */
  wallOffsetMs = 0;
  #driftPpm: number;
  /** When its rate was last changed, and what its clock said then. */
  #clockSet = { at: 0, us: 0 };
  #answerDoom: CrashMode | null = null;
  #whenBusy: (() => void) | null = null;
  #busyDoom: { events: number; mode: CrashMode } | null = null;

  constructor(engine: Engine, net: SimNet, rng: Rng, options: NodeOptions) {
    this.#engine = engine;
    this.#net = net;
    this.#rng = rng;
    this.#options = options;
    this.#driftPpm = options.driftPpm ?? 0;
    this.name = options.config.name;
    this.#logger = options.logger ?? nullLogger;
    const schedule = (delayUs: number, fn: () => void): void => {
      engine.schedule(delayUs, () => this.#life?.run(fn));
    };
    this.disk = new SimDisk({ schedule, rng: rng.split('disk'), options: options.disk ?? {} });
    this.stores = new SimLevel({ schedule, rng: rng.split('store'), disk: this.disk, options: options.store ?? {} });
  }

  /** µs on this machine's monotonic clock. */
  #localUs(): number {
    const { at, us } = this.#clockSet;
    return us + ((this.#engine.now - at) * (1_000_000 + this.#driftPpm)) / 1_000_000;
  }

  /** From now on its clock runs so much faster, in parts of a million; timers that run already end when they would have. */
  setDrift(ppm: number): void {
    this.#clockSet = { at: this.#engine.now, us: this.#localUs() };
    this.#driftPpm = ppm;
  }

  get config(): MemberConfig {
    return this.#options.config;
  }

  /** It is a newcomer that has not been open yet: it cannot start before others tell it who it is. */
  get joins(): boolean {
    return this.#options.config.initialClusterState === 'existing' && !this.#opened;
  }

  /** What a newcomer's --initial-cluster says at its next start. */
  setInitialCluster(others: readonly InitialMember[]): void {
    this.#options = { ...this.#options, config: { ...this.#options.config, initialCluster: others } };
  }

  get up(): boolean {
    return this.#life?.alive === true;
  }

  /** Timers and other events that the process waits for, and its connections. */
  held(): { events: number; connections: number } {
    return { events: this.#engine.waiting(this.#life), connections: this.#net.connections(this.name) };
  }

  get paused(): boolean {
    return this.#life?.paused === true;
  }

  start(): void {
    if (this.up || this.gone) return;
    this.failure = null;
    const life = new Life(this.#engine, (err) => this.#died(life, err));
    this.#life = life;
    this.busy();
    const env = this.#env(life);
    life.run(() =>
      openMember(env, this.#options.config, (err, member) => {
        if (err !== null || member === null) return this.#died(life, err ?? new Error('no member'));
        this.#serve(life, member, env);
      }),
    );
  }

  /** How often a process has been started here. */
  get lives(): number {
    return this.#lives;
  }

  /** Has each process from now on, and the one that runs, open a client port once it serves clients. */
  serveClients(open: (member: Member, env: Env) => void): void {
    if (this.#clientPort !== null) return;
    this.#clientPort = open;
    if (this.ready) this.#life?.run(() => this.#openClientPort?.());
  }

  #serve(life: Life, member: Member, env: Env): void {
    this.member = member;
    this.#opened = true;
    this.watcher?.opened(this, member);
    member.onEnded = () => {
      if (this.#life !== life) return;
      this.gone = true;
      this.#end(life, 'process');
      this.onRemoved?.(member.memberId);
    };
    member.onReady = () => {
      this.ready = true;
      this.#openClientPort = () => this.#clientPort?.(member, env);
      this.#openClientPort();
      this.onReady?.();
    };
    const { listenPeerUrls } = this.#options.config;
    const address = (listenPeerUrls[0] ?? '').replace(/^https?:\/\//, '');
    member.listen(address, (err) => {
      if (err !== null) return this.#died(life, err);
      member.start();
    });
  }

  #env(life: Life): Env {
    const engine = this.#engine;
    this.#lives++;
    return {
      clock: {
        now: () => this.#localUs() / 1000,
        wall: () => 1_700_000_000_000 + this.wallOffsetMs + Math.floor(engine.now / 1000),
      },
      timers: {
        set: (delayMs, fn) => life.schedule((delayMs * 1e9) / (1_000_000 + this.#driftPpm), fn),
        clear: (handle) => engine.cancel(handle as SimTimer),
        defer: (fn) => life.schedule(0, fn),
      },
      rng: this.#rng.split(`life ${this.#lives}`),
      disk: this.disk,
      stores: this.stores,
      net: this.#net.attach(this.name, life),
      crypto: simCrypto(this.#rng.split(`secrets ${this.#lives}`), (us, fn) => life.schedule(us, fn)),
      log: this.#logger.with({ member: this.name }),
      fatal: (err) => this.#died(life, err),
    };
  }

  #died(life: Life, err: Error): void {
    if (!life.alive || this.#life !== life) return;
    this.failure = err;
    this.#end(life, 'process');
    this.onFailure?.(err);
  }

  #end(life: Life, mode: CrashMode): void {
    life.end();
    this.#life = null;
    this.member = null;
    this.ready = false;
    this.watcher?.ended(this);
    this.#net.down(this.name);
    if (mode === 'process') this.stores.kill();
    else this.stores.crash();
    this.disk.crash(mode);
  }

  /** Ends the process at this moment. @param mode what becomes of writes that were not synced */
  crash(mode: CrashMode): void {
    if (this.#life !== null) this.#end(this.#life, mode);
  }

  /** Ends the process after so many more of its events; 0 takes it back. */
  crashAfterEvents(events: number, mode: CrashMode): void {
    this.#life?.doomAfter(events, () => this.crash(mode));
  }

  /** The same, counted from the next time that it opens its folder or installs a snapshot. */
  crashWhenBusy(events: number, mode: CrashMode): void {
    this.#busyDoom = events === 0 ? null : { events, mode };
  }

  /** Calls back once, the next time that it opens its folder or installs a snapshot; null takes it back. */
  whenBusy(fn: (() => void) | null): void {
    this.#whenBusy = fn;
  }

  /** It begins something that a crash should meet. */
  busy(): void {
    const then = this.#whenBusy;
    this.#whenBusy = null;
    then?.();
    const doom = this.#busyDoom;
    if (doom === null) return;
    this.#busyDoom = null;
    this.crashAfterEvents(doom.events, doom.mode);
  }

  /** Ends the process behind the event in which it next says that something was done; null takes it back. */
  crashWhenAnswers(mode: CrashMode | null): void {
    this.#answerDoom = mode;
  }

  /** It has told a client that a write was done. */
  answered(): void {
    const mode = this.#answerDoom;
    if (mode === null) return;
    this.#answerDoom = null;
    this.crashAfterEvents(1, mode);
  }

  pause(): void {
    this.#life?.pause();
  }

  resume(): void {
    this.#life?.resume();
  }

  /** Runs something in the process, as a request that arrives would. Not called if it is down. */
  enter(fn: (member: Member) => void): boolean {
    const { member } = this;
    if (member === null || this.#life === null) return false;
    this.#life.run(() => fn(member));
    return true;
  }
}
