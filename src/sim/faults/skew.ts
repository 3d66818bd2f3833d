import { Bucket } from '../../storage/backend/index.js';
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
export function skewed({ nodes }: SimCluster): string | null {
  const up = nodes.filter((node) => node.ready && !node.leaving);
  const has = (node: SimNode): boolean => node.member?.inside.backend.get(Bucket.meta, SKEW) !== undefined;
  if (!up.some((node) => node.rotten)) return null;
  const [some, none] = [up.filter(has), up.filter((node) => !has(node))];
  if (some.length === 0 || none.length === 0) return null;
  return `the states of ${some.map((node) => node.name).join(' ')} differ, and nobody has done anything about it`;
}
