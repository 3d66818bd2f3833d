import type { Disk, Env } from '../util/env.js';
import { hex } from '../util/hex.js';
import type { MemberConfig } from './config.js';
import { memberFolder, noteDamage } from './damage.js';
import type { MemberParts } from './parts.js';
import { handOver } from './shutdown.js';

const HOUR_MS = 3_600_000;
const PREFIX = 'diverged: ';

/** This member's state is not what the others' is; the next start sets it aside. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';
  readonly code = 'ERR_DIVERGED';
}

/**
 * May this member's state be rebuilt? Not where its owner wants to look at damage himself, and not a second time within an
 * hour: then the cause is still there.
 */
export function mayRebuild(env: Pick<Env, 'disk' | 'clock'>, config: MemberConfig): boolean {
  if (config.onDiskDamage === 'stop') return false;
  return Math.abs(env.clock.wall() - lastRebuilt(env.disk, config.dataDir)) > HOUR_MS;
}

/** ms on the wall clock when a diverged state was last set aside here; far in the past if never. */
function lastRebuilt(disk: Disk, dataDir: string): number {
  let last = Number.NEGATIVE_INFINITY;
  const member = memberFolder(dataDir);
  for (const name of disk.list(member)) {
    if (!name.startsWith('damaged-')) continue;
    const path = `${member}/${name}/REASON`;
    const size = disk.size(path);
    if (size < 0) continue;
    try {
      const { reason, 'wall-ms': at } = JSON.parse(disk.read(path, 0, size).toString()) as Record<string, unknown>;
      if (typeof reason === 'string' && reason.startsWith(PREFIX) && typeof at === 'number') last = Math.max(last, at);
    } catch {
      // Written as best it could be.
    }
  }
  return last;
}

/**
 * Hands leadership to a member whose state is sound, writes down that this one's is not, and ends: the next start sets it
 * aside and has it rebuilt (repair.ts). The owner refuses requests from now on.
 */
export function stopDiverged(parts: MemberParts, index: number, sound: readonly bigint[]): void {
  const { env, config, hub } = parts;
  const others = sound.map(hex).join(' ');
  const reason = `${PREFIX}at entry ${index} the state is not what the members ${others} have`;
  const connected = sound.filter((id) => id !== parts.memberId && hub.activeSince(id) >= 0);
  handOver(parts, connected[0] ?? 0n, config.electionMs, () => {
    noteDamage(env.disk, config.dataDir, 'store', reason);
    env.fatal(new DivergedError(reason));
  });
}
