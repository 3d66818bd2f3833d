import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningMember, StartOptions } from '../../src/index.js';
import { startMember } from '../../src/index.js';
import type { LogLine } from '../../src/util/log.js';
import { memoryLogger } from '../../src/util/log.js';

const QUICK = { heartbeatMs: 20, electionMs: 200 };

/** Members within the test's process, in one temporary folder, and what they log. */
export class TlsBench {
  readonly dir = mkdtempSync(join(tmpdir(), 'keel-tls-'));
  readonly log: LogLine[] = [];
  readonly #running: RunningMember[] = [];

  /** By default at one https URL for clients and none for peers. Does not wait until it is ready. */
  async start(options: StartOptions, name = 'data'): Promise<RunningMember> {
    const member = await startMember({
      listenClientUrls: ['https://127.0.0.1:0'],
      logger: memoryLogger(this.log),
      onFatal: (err) => {
        throw err;
      },
      ...options,
      config: { ...QUICK, dataDir: join(this.dir, name), listenPeerUrls: [], ...options.config },
    });
    this.#running.push(member);
    return member;
  }

  /** The causes that were logged. */
  refusals(side: 'client' | 'peer' = 'client'): unknown[] {
    const msg = `rejected connection on ${side} endpoint`;
    return this.log.filter((line) => line.msg === msg).map((line) => line.fields.error);
  }

  async until(done: () => boolean, ms = 10_000): Promise<void> {
    const end = Date.now() + ms;
    while (!done()) {
      if (Date.now() > end) {
        throw new Error(`not so after ${ms} ms: ${JSON.stringify([this.refusals(), this.refusals('peer')])}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((member) => member.stop()));
    rmSync(this.dir, { recursive: true, force: true });
  }
}
