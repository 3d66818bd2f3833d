import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Server } from 'node:net';
import type { ClusterConfig } from './cluster-config.js';
import { memberArgs } from './cluster-config.js';
import type { ControlReply, ControlRequest } from './control.js';
import { listenControl } from './control.js';
import { MemberProcess } from './member-process.js';
import { readRunFile, removeRunFile, writeRunFile } from './run-file.js';
import { StatusProbe, statusLine } from './status.js';

export interface SupervisorOptions {
  /** What runs a member: the file and first arguments before `server`'s own flags. */
  readonly command: readonly string[];
  readonly write: (line: string) => void;
}

const STOP_TIMEOUT_MS = 15_000;
const STATUS_MS = 1000;

/** The local cluster in one terminal: its members are child processes, their output is prefixed by their names. */
export class Supervisor {
  readonly #config: ClusterConfig;
  readonly #options: SupervisorOptions;
  readonly #members: MemberProcess[];
  readonly #probe: StatusProbe;
  #server: Server | null = null;
  #timer: NodeJS.Timeout | null = null;
  #lastLine = '';
  #stopping: Promise<void> | null = null;
  #ended!: () => void;
  /** Settles when the cluster has been stopped. */
  readonly ended: Promise<void>;

  constructor(config: ClusterConfig, options: SupervisorOptions) {
    this.#config = config;
    this.#options = options;
    this.#probe = new StatusProbe(config);
    const width = Math.max(...config.members.map((member) => member.name.length));
    this.#members = config.members.map((member) => {
      const prefix = `${member.name.padEnd(width)} | `;
      const command = [...options.command, ...memberArgs(config, member)];
      return new MemberProcess(
        member.name,
        command,
        (line) => options.write(prefix + line),
        (how, expected) => {
          options.write(expected ? `keel: ${member.name} ended` : `keel: ${member.name} ended by itself: ${how}`);
        },
      );
    });
    this.ended = new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  async start(): Promise<void> {
    const other = readRunFile(this.#config.dataDir);
    if (other !== null) throw new Error(`a cluster runs on ${this.#config.dataDir} already (process ${other.pid})`);
    mkdirSync(this.#config.dataDir, { recursive: true, mode: 0o700 });
    const token = randomBytes(16).toString('hex');
    const { port, server } = await listenControl(token, (request) => this.#control(request));
    this.#server = server;
    writeRunFile(this.#config.dataDir, { pid: process.pid, port, token });
    for (const member of this.#members) member.start();
    this.#watch();
  }

  #watch(): void {
    this.#timer = setTimeout(
      () => {
        void this.#status().then((line) => {
          if (this.#stopping !== null) return;
          if (line !== this.#lastLine) this.#options.write(`keel: ${line}`);
          this.#lastLine = line;
          this.#watch();
        });
      },
      this.#lastLine === '' ? STATUS_MS / 4 : STATUS_MS,
    );
  }

  async #status(): Promise<string> {
    const all = await this.#probe.all((name) => this.#find(name)?.state ?? 'down');
    // The revision moves with every write; a line a write would drown the rest.
    return statusLine(all);
  }

  #find(name: string): MemberProcess | undefined {
    return this.#members.find((member) => member.name === name);
  }

  async #control(request: ControlRequest): Promise<ControlReply> {
    if (request.command === 'status') return { ok: true, message: await this.#status() };
    if (request.command === 'stop') {
      // Answered first: the listener is closed on the way.
      setImmediate(() => void this.stop());
      return { ok: true, message: 'stopping' };
    }
    const member = this.#find(request.member ?? '');
    if (member === undefined) {
      const names = this.#members.map((m) => m.name).join(', ');
      return { ok: false, message: `no member "${request.member ?? ''}"; there are ${names}` };
    }
    if (request.command === 'kill') {
      if (member.state === 'down') return { ok: false, message: `${member.name} is not running` };
      await member.kill();
      return { ok: true, message: `killed ${member.name}` };
    }
    await member.stop(STOP_TIMEOUT_MS);
    member.start();
    return { ok: true, message: `restarted ${member.name}` };
  }

  /** Stops all members cleanly. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all(this.#members.map((member) => member.stop(STOP_TIMEOUT_MS)));
    this.#probe.close();
    this.#server?.close();
    removeRunFile(this.#config.dataDir);
    this.#ended();
  }
}
