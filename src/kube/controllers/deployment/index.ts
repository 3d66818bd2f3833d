/** Deployments: a number of equal pods that change step by step when their template does. */
import type { StartController } from '../../kit/index.js';
import { claim, controllerOf, DEPLOYMENTS, keyOf, PODS, REPLICA_SETS, splitKey } from '../../kit/index.js';
import { labelSelectorOf, matchesLabels } from '../../machinery/label-selector.js';
import type { KubeObject } from '../../machinery/object.js';
import { candidates, watchChildren } from '../children.js';
import { startLoop } from '../loop.js';
import { deadlineAt } from './conditions.js';
import { isRolling } from './numbers.js';
import { Rollout } from './rollout.js';

const NAME = 'deployment-controller';
const WORKERS = 5;
/** Behind the deadline: times on the wire are whole seconds. */
const SLACK_MS = 1000;

export const startDeployments: StartController = (context) => {
  const { client, clock, informers } = context;
  const deployments = informers.of(DEPLOYMENTS);
  const sets = informers.of(REPLICA_SETS);
  const pods = informers.of(PODS);
  const deploymentClient = client.resource(DEPLOYMENTS);
  const setClient = client.resource(REPLICA_SETS);
  const recorder = context.recorder(NAME);
  const queue = context.queue(NAME);
  const podsOf = (set: KubeObject) => pods.byIndex('owner', set.metadata.uid ?? '');
  const parts = { deployments: deploymentClient, sets: setClient, clock, recorder, podsOf };
  const matches = (deployment: KubeObject, set: KubeObject) =>
    matchesLabels(labelSelectorOf(deployment.spec?.selector), set.metadata.labels);

  async function sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const deployment = deployments.get(namespace, name);
    if (deployment === undefined) return;
    const mine = await claim({
      owner: deployment,
      children: candidates(sets, deployment),
      matches: (set) => matches(deployment, set),
      childClient: setClient,
      readOwner: () => deploymentClient.get(namespace, name),
    });
    const written = await new Rollout(parts, deployment, mine).run();
    const deadline = deadlineAt(written, written.status?.conditions ?? []);
    if (deadline !== undefined && written.spec?.paused !== true) {
      queue.addAfter(key, Math.max(SLACK_MS, deadline + SLACK_MS - clock.now()));
    }
  }

  const handlers = [
    deployments.onChange({
      add: (deployment) => queue.add(keyOf(deployment)),
      update: (_, deployment) => queue.add(keyOf(deployment)),
      delete: (deployment) => queue.add(keyOf(deployment)),
    }),
    watchChildren({
      children: sets,
      owners: deployments,
      kind: 'Deployment',
      matches,
      enqueue: (key) => queue.add(key),
    }),
    // With Recreate the last old pod that goes lets the new ones come.
    pods.onChange({ delete: (pod) => lookAgain(pod), update: (_, pod) => void (ended(pod) && lookAgain(pod)) }),
  ];

  function lookAgain(pod: KubeObject): void {
    const set = controllerOf(pod);
    if (set?.kind !== 'ReplicaSet') return;
    const owner = controllerOf(sets.get(pod.metadata.namespace ?? '', set.name) ?? pod);
    if (owner?.kind !== 'Deployment') return;
    const deployment = deployments.get(pod.metadata.namespace ?? '', owner.name);
    if (deployment !== undefined && !isRolling(deployment)) queue.add(keyOf(deployment));
  }

  return startLoop({ name: NAME, queue, informers: [deployments, sets, pods], workers: WORKERS, sync, handlers });
};

function ended(pod: KubeObject): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
