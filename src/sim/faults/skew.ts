import { memberFolder, noteDamage } from '../../server/damage.js';
import { Bucket } from '../../storage/backend/index.js';
import { AlarmAction, AlarmType } from '../../wire/index.js';
import { AS_ROOT } from '../caller.js';
import type { SimCluster } from '../cluster.js';
import type { SimNode } from '../node.js';
import type { FaultSpec } from './kinds.js';

/** Of a row that no entry has written, and that neither etcd nor we would read. */
const SKEW = Buffer.from('skew');

/**
 * A member applies an entry to another effect than the others do: a row more, which no answer shows. Its state's hash must
 * give it away; then it ends, hands leadership on, and is rebuilt. Only where states are compared entry by entry: else it
 * may not be seen before the next comparison, which is behind the end of the run.
 */
export const skew: FaultSpec = {
  name: 'skew',
  victims: 'one',
  durations: [0],
  act(scene, _event, [node]) {
    const { member } = node;
    if (member === null || !node.ready || node.rotten || !scene.mayDamage(node)) return;
    if (node.config.tuning.stateHashEvery !== 1) return;
    node.rotten = true;
    scene.cluster.skewed = true;
    const { backend } = member.inside;
    const apply = member.apply.bind(member);
    member.apply = (entries) => {
      member.apply = apply;
      backend.put(Bucket.meta, SKEW, SKEW);
      apply(entries);
    };
  },
};

/** Members whose states differ by that row: they must find out. */
export function skewed({ nodes, skewed: ever }: SimCluster): string | null {
  if (!ever) return null;
  const up = nodes.filter((node) => node.ready && !node.leaving);
  const has = (node: SimNode): boolean => node.member?.inside.backend.get(Bucket.meta, SKEW) !== undefined;
  const [some, none] = [up.filter(has), up.filter((node) => !has(node))];
  if (some.length === 0 || none.length === 0) return disarm(up);
  // It was sent on before it was found, and is the majority's now: those without it have rebuilt their state from their
  // logs, differ again, and have raised the alarm. What comes then is for an operator to do.
  if (some.length > none.length) for (const node of none) emptyDamaged(node);
  return `the states of ${some.map((node) => node.name).join(' ')} differ, and nobody has done anything about it`;
}

/** What was raised while they differed holds up everything else. */
function disarm(nodes: readonly SimNode[]): string | null {
  const [node] = nodes;
  const found = node?.member?.alarms().find(({ alarm }) => alarm === AlarmType.CORRUPT);
  if (node === undefined || found === undefined) return null;
  const req = { ...found, action: AlarmAction.DEACTIVATE };
  node.enter((member) => member.alarm(req, AS_ROOT, { ok: () => {}, fail: () => {} }));
  return 'the members are equal, and CORRUPT is raised';
}

/** Has a member that could not help itself begin with nothing, as an operator would. */
function emptyDamaged(node: SimNode): void {
  const { disk, config } = node;
  const { dataDir } = config;
  const member = node.member;
  const tried = disk.list(memberFolder(dataDir)).some((name) => name.startsWith('damaged-'));
  if (member === null || !tried || member.alarms().every((alarm) => alarm.memberId !== member.memberId)) return;
  node.rotten = true;
  node.crash('process');
  for (const part of ['store', 'log'] as const) noteDamage(disk, dataDir, part, 'an operator wants it empty');
  node.start();
}
