import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MemberConfig, RunningMember, StartOptions } from '../../../src/index.js';
import { startMember } from '../../../src/index.js';
import type { LogLine } from '../../../src/util/log.js';
import { memoryLogger } from '../../../src/util/log.js';

/** A member of its own cluster in this process, in a folder that goes with it. */
export interface TestMember {
  readonly keel: RunningMember;
  /** host:port */
  readonly endpoint: string;
  readonly dataDir: string;
  readonly log: LogLine[];
  /** Stops it and starts it again on the same folder; the port may be another. */
  restart(): Promise<TestMember>;
  stop(): Promise<void>;
}

export async function startTestMember(
  config: Partial<MemberConfig> = {},
  options: Omit<StartOptions, 'config'> = {},
): Promise<TestMember> {
  const dataDir = config.dataDir ?? mkdtempSync(join(tmpdir(), 'keel-rpc-'));
  const log: LogLine[] = [];
  const keel = await startMember({
    listenClientUrls: ['http://127.0.0.1:0'],
    logger: memoryLogger(log),
    onFatal: (err) => {
      console.error('fatal', err);
      throw err;
    },
    ...options,
    config: { heartbeatMs: 20, electionMs: 200, listenPeerUrls: [], ...config, dataDir },
  });
  await keel.ready;
  // A moment after it serves: what /version says does not change from then on.
  while (keel.member.clientVersion.cluster === 'not_decided') await new Promise((done) => setTimeout(done, 5));
  return {
    keel,
    endpoint: keel.clientUrls[0]!.replace('http://', ''),
    dataDir,
    log,
    restart: async () => {
      await keel.stop();
      return startTestMember({ ...config, dataDir }, options);
    },
    stop: async () => {
      await keel.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
