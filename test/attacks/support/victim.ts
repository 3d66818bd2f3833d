import { mkdtempSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keelBuilt } from '../../support/binaries.js';
import { MemberProcess, sleep } from '../../support/member-process.js';
import { freePorts } from '../../support/ports.js';

export interface VictimOptions {
  /** Flags beside the addresses. */
  readonly flags?: readonly string[];
  readonly secure?: boolean;
}

/** What a member keeps, after its garbage is collected. */
export interface Vitals {
  readonly heapBytes: number;
  /** Outside of V8's heap: buffers. */
  readonly externalBytes: number;
  readonly rssBytes: number;
  readonly files: number;
  /** Calls that were begun and are not over, health checks not counted. */
  readonly openCalls: number;
  readonly watchers: number;
}

/** A real member process, alone in its cluster, that is to be attacked; and a port of its own to look at it. */
export class Victim {
  readonly process: MemberProcess;
  readonly clientPort: number;
  readonly endpoint: string;
  readonly url: string;
  readonly metricsUrl: string;
  readonly dir: string;

  private constructor(dir: string, ports: readonly number[], options: VictimOptions) {
    const [clientPort, peerPort, metricsPort] = ports as [number, number, number];
    this.dir = dir;
    this.clientPort = clientPort;
    this.endpoint = `127.0.0.1:${clientPort}`;
    this.url = `${options.secure === true ? 'https' : 'http'}://${this.endpoint}`;
    this.metricsUrl = `http://127.0.0.1:${metricsPort}`;
    this.process = new MemberProcess({
      kind: 'keel',
      name: 'victim',
      logFile: join(dir, 'victim.log'),
      flags: [
        '--name=victim',
        `--data-dir=${join(dir, 'data')}`,
        `--listen-client-urls=${this.url}`,
        `--advertise-client-urls=${this.url}`,
        `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
        `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
        `--initial-cluster=victim=http://127.0.0.1:${peerPort}`,
        `--listen-metrics-urls=${this.metricsUrl}`,
        '--enable-pprof=true',
        '--bcrypt-cost=4',
        ...(options.flags ?? []),
      ],
    });
  }

  static async start(options: VictimOptions = {}): Promise<Victim> {
    if (!keelBuilt()) throw new Error('no build: npm run build');
    const victim = new Victim(mkdtempSync(join(tmpdir(), 'keel-attack-')), await freePorts(3), options);
    victim.process.start();
    await victim.process.ready(20_000);
    return victim;
  }

  async stop(): Promise<void> {
    const how = await this.process.stop();
    rmSync(this.dir, { recursive: true, force: true });
    if (how !== 'exited with code 0' && !/SIGTERM/.test(how)) throw new Error(`the member ${how}`);
  }

  /** What it logged, line by line, with this message. */
  logged(msg: string): Record<string, unknown>[] {
    const lines = this.process
      .log()
      .split('\n')
      .filter((line) => line.includes(msg));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async metrics(): Promise<(name: string) => number> {
    const text = (await get(`${this.metricsUrl}/metrics`)).toString();
    return (name) => {
      let sum = 0;
      for (const line of text.split('\n')) {
        if (line.startsWith(`${name} `) || line.startsWith(`${name}{`))
          sum += Number(line.slice(line.lastIndexOf(' ')));
      }
      return sum;
    };
  }

  /** @param collects whether its garbage is collected first, which takes it a moment */
  async vitals(collects = true): Promise<Vitals> {
    if (collects) {
      for (let i = 0; i < 2; i++) await get(`${this.metricsUrl}/debug/pprof/heap?gc=1&seconds=0.01`);
    }
    const vars = JSON.parse((await get(`${this.metricsUrl}/debug/vars`)).toString()) as {
      memstats: { Alloc: number; Sys: number; External: number };
    };
    const metric = await this.metrics();
    return {
      heapBytes: vars.memstats.Alloc,
      externalBytes: vars.memstats.External,
      rssBytes: vars.memstats.Sys,
      files: metric('process_open_fds'),
      openCalls: metric('grpc_server_started_total') - metric('grpc_server_handled_total'),
      watchers: metric('etcd_debugging_mvcc_watcher_total'),
    };
  }

  /** Waits until it keeps no more than before, with some room; what it keeps at last. @throws what is left */
  async recovered(before: Vitals, ms = 20_000, roomBytes = 32 << 20): Promise<Vitals> {
    const until = Date.now() + ms;
    for (;;) {
      const now = await this.vitals();
      const kept = now.heapBytes + now.externalBytes - before.heapBytes - before.externalBytes;
      const left = now.files - before.files;
      // The honest client has a call under way most of the time.
      const calls = now.openCalls - before.openCalls;
      if (kept <= roomBytes && left <= 4 && calls <= 2 && now.watchers <= before.watchers) {
        return now;
      }
      if (Date.now() > until) throw new Error(`not as before: ${JSON.stringify({ before, now })}`);
      await sleep(1000);
    }
  }
}

const agent = new http.Agent({ keepAlive: false });

function get(url: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks)));
    });
    request.on('error', reject);
  });
}
