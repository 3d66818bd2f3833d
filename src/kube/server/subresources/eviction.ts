/** pods/eviction: a deletion that the budgets of the pod's owners may put off. Source: policy/v1 Eviction. */
import type { Kind } from '../../kinds/kind.js';
import { ApiError, badRequest, internalError, methodNotAllowed, tooManyRequests } from '../../machinery/api-error.js';
import type { KubeObject } from '../../machinery/object.js';
import { labelSelectorOf, matchesLabels } from '../../machinery/selectors.js';
import type { WriteContext } from '../../rest/resource.js';
import type { ServerParts } from '../parts.js';
import { readAs } from '../read-object.js';
import { respond } from '../respond.js';
import { deleteRequest, writeContext } from '../write-query.js';
import { admitSubresource } from './admit.js';
import type { SubresourceHandler } from './subresource.js';

const ATTEMPTS = 5;
/** What a budget remembers of evicted pods that its keeper has not seen go. */
const DISRUPTED_MAX = 2000;
const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";

export function evictionHandler(parts: ServerParts): SubresourceHandler {
  return async (exchange, pods) => {
    const { info } = exchange;
    if (info.verb !== 'create') throw methodNotAllowed();
    const eviction = await readAs(exchange, 'policy', 'v1', 'Eviction');
    const named = eviction.metadata?.name;
    if (named !== undefined && named !== info.name) {
      throw badRequest(`name in URL does not match name in Eviction object: ${JSON.stringify(named)}`);
    }
    const request = deleteRequest(eviction.deleteOptions ?? null, new URLSearchParams());
    const context = writeContext(exchange, 'CreateOptions', request.dryRun);
    await admitSubresource(parts, exchange, pods, 'CREATE', eviction, context.dryRun);
    const pod = await parts.resources.of(pods).get(info.namespace, info.name);
    if (pod.metadata.deletionTimestamp === undefined && !isOver(pod)) await charge(parts, pod, context);
    const preconditions = {
      ...request.options.preconditions,
      uid: request.options.preconditions?.uid ?? pod.metadata.uid ?? '',
    };
    await parts.resources.of(pods).delete(context, info.namespace, info.name, { ...request.options, preconditions });
    respond(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
  };
}

/** Nothing is lost with it, so no budget is asked. */
function isOver(pod: KubeObject): boolean {
  return ['Succeeded', 'Failed', 'Pending'].includes(pod.status?.phase);
}

/** Takes one disruption off the pod's budget, if it has one. @throws ApiError 429, 500 */
async function charge(parts: ServerParts, pod: KubeObject, context: WriteContext): Promise<void> {
  const kind = parts.kinds.findResource('policy', 'poddisruptionbudgets');
  if (kind === undefined) return;
  const namespace = pod.metadata.namespace ?? '';
  const budgets = await parts.resources.of(kind).list({ namespace });
  const mine = budgets.items.filter((pdb) => matchesLabels(labelSelectorOf(pdb.spec?.selector), pod.metadata.labels));
  if (mine.length === 0) return;
  if (mine.length > 1) {
    throw internalError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  await chargeOne(parts, kind, namespace, (mine[0] as KubeObject).metadata.name as string, pod, context);
}

async function chargeOne(
  parts: ServerParts,
  kind: Kind,
  namespace: string,
  name: string,
  pod: KubeObject,
  context: WriteContext,
): Promise<void> {
  const budgets = parts.resources.of(kind);
  for (let attempt = 1; ; attempt++) {
    const budget = structuredClone(await budgets.get(namespace, name));
    const status = (budget.status ??= {});
    const { currentHealthy = 0, desiredHealthy = 0, disruptionsAllowed = 0 } = status;
    const always = budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow';
    if (!isReady(pod) && (always || (currentHealthy >= desiredHealthy && desiredHealthy > 0))) return;
    if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0)) {
      throw violation(`The disruption budget ${name} is still being processed by the server.`, 10);
    }
    if (disruptionsAllowed <= 0) {
      throw violation(
        `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
        0,
      );
    }
    const disrupted = status.disruptedPods ?? {};
    if (Object.keys(disrupted).length > DISRUPTED_MAX) {
      throw new ApiError(
        403,
        'Forbidden',
        `poddisruptionbudgets.policy "${name}" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller`,
      );
    }
    status.disruptionsAllowed = disruptionsAllowed - 1;
    status.disruptedPods = {
      ...disrupted,
      [pod.metadata.name as string]: `${new Date(parts.now()).toISOString().slice(0, 19)}Z`,
    };
    try {
      await budgets.update({ ...context, fieldValidation: 'Ignore' }, namespace, name, budget, 'status');
      return;
    } catch (err) {
      if (!(err instanceof ApiError) || err.reason !== 'Conflict') throw err;
      if (attempt >= ATTEMPTS) throw violation(`couldn't update PodDisruptionBudget "${name}" due to conflicts`, 10);
    }
  }
}

function violation(message: string, retryAfterSeconds: number): ApiError {
  return tooManyRequests(VIOLATES, retryAfterSeconds, [{ reason: 'DisruptionBudget', message }]);
}

function isReady(pod: KubeObject): boolean {
  const conditions: readonly { type: string; status: string }[] = pod.status?.conditions ?? [];
  return conditions.some((one) => one.type === 'Ready' && one.status === 'True');
}
