/** Claims that wait for their first consumer are told its node, and waited for before the pod is bound. */
import type { ControllerContext } from '../kit/index.js';
import { PERSISTENT_VOLUME_CLAIMS, sleep } from '../kit/index.js';
import type { KubeObject } from '../machinery/object.js';

export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const WAIT_MS = 30_000;
const POLL_MS = 100;

/** @throws Error if a claim does not become bound in time */
export async function bindClaims(
  { client, informers, clock }: ControllerContext,
  pod: KubeObject,
  node: string,
): Promise<void> {
  const namespace = pod.metadata.namespace ?? '';
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS);
  const unbound = (): KubeObject[] => {
    const found: KubeObject[] = [];
    for (const volume of pod.spec?.volumes ?? []) {
      const name: string | undefined =
        volume.persistentVolumeClaim?.claimName ??
        (volume.ephemeral === undefined ? undefined : `${pod.metadata.name}-${volume.name}`);
      const claim = name === undefined ? undefined : claims.get(namespace, name);
      if (claim !== undefined && claim.status?.phase !== 'Bound') found.push(claim);
    }
    return found;
  };
  for (const claim of unbound()) {
    if (claim.metadata.annotations?.[SELECTED_NODE] === node) continue;
    const body = { metadata: { annotations: { [SELECTED_NODE]: node } } };
    await client.resource(PERSISTENT_VOLUME_CLAIMS).patch(namespace, claim.metadata.name ?? '', 'merge', body);
  }
  const until = clock.now() + WAIT_MS;
  while (unbound().length > 0) {
    if (clock.now() >= until) throw new Error('claims were not bound in time');
    await sleep(clock, POLL_MS);
  }
}
