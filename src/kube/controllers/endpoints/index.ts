/** Keeps the Endpoints of Services that select pods. Source: kubernetes Endpoints. */
import type { StartController } from '../../kit/api.js';
import { isAlreadyExists, isConflict, isNamespaceTerminating, isNotFound } from '../../kit/api-status-error.js';
import { keyOf, splitKey } from '../../kit/informer.js';
import { ENDPOINTS, PODS, SERVICES } from '../../kit/resources.js';
import { equalJson } from '../../machinery/json-value.js';
import type { KubeObject } from '../../machinery/object.js';
import {
  endpointFacts,
  HEADLESS,
  hasPods,
  LEADER,
  selects,
  servicesOf,
  TRIGGER_TIME,
  triggerTime,
} from './service-pods.js';
import { subsetsOf, truncate } from './subsets.js';

const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
const WORKERS = 5;

export const startEndpoints: StartController = (context) => {
  const { client, informers, recorder } = context;
  const services = informers.of(SERVICES);
  const pods = informers.of(PODS);
  const endpoints = informers.of(ENDPOINTS);
  const queue = context.queue('endpoint');
  const events = recorder('endpoint-controller');
  /** Services that were seen to go, until their Endpoints are gone, too. */
  const gone = new Set<string>();
  const ofPod = (pod: KubeObject) => servicesOf(services, pod).forEach((key) => void queue.add(key));
  const follow = [
    services.onChange({
      add: (service) => queue.add(keyOf(service)),
      update: (_, service) => queue.add(keyOf(service)),
      delete(service) {
        gone.add(keyOf(service));
        queue.add(keyOf(service));
      },
    }),
    pods.onChange({
      add: ofPod,
      update(old, pod) {
        if (endpointFacts(old) === endpointFacts(pod)) return;
        ofPod(old);
        ofPod(pod);
      },
      delete: ofPod,
    }),
    endpoints.onChange({
      // Those that outlived their Service, and those that were changed by others.
      add: (object) => queue.add(keyOf(object)),
      update: (_, object) => queue.add(keyOf(object)),
      delete: (object) => queue.add(keyOf(object)),
    }),
  ];

  async function sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const service = services.get(namespace, name);
    const current = endpoints.get(namespace, name);
    if (service === undefined) {
      const { annotations = {}, uid = '' } = current?.metadata ?? {};
      // Others may have been made by hand for a Service that is yet to come.
      const isLeftOver = gone.has(key) || annotations[TRIGGER_TIME] !== undefined;
      if (current !== undefined && annotations[LEADER] === undefined && isLeftOver) {
        await client.resource(ENDPOINTS).delete(namespace, name, { preconditions: { uid } }).catch(ignoreGone);
      }
      gone.delete(key);
      return;
    }
    gone.delete(key);
    if (!hasPods(service) || service.metadata.deletionTimestamp !== undefined) return;
    const mine = pods.list(namespace).filter((pod) => selects(service, pod));
    const subsets = subsetsOf(service, mine);
    const isOver = truncate(subsets);
    const labels = { ...service.metadata.labels };
    delete labels[HEADLESS];
    if (service.spec.clusterIP === 'None') labels[HEADLESS] = '';
    const before = current?.metadata.annotations ?? {};
    if (
      current !== undefined &&
      equalJson(current.subsets ?? [], subsets) &&
      equalJson(current.metadata.labels ?? {}, labels) &&
      (before[OVER_CAPACITY] !== undefined) === isOver &&
      before[TRIGGER_TIME] !== undefined
    )
      return;
    const annotations: Record<string, string> = { ...before, [TRIGGER_TIME]: triggerTime(service, mine) };
    if (isOver) annotations[OVER_CAPACITY] = 'truncated';
    else delete annotations[OVER_CAPACITY];
    const wanted: KubeObject = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      ...structuredClone(current ?? {}),
      metadata: { ...structuredClone(current?.metadata ?? { name, namespace }), labels, annotations },
      subsets: subsets as never,
    };
    try {
      if (current === undefined) await client.resource(ENDPOINTS).create(namespace, wanted);
      else await client.resource(ENDPOINTS).update(namespace, wanted);
    } catch (err) {
      if (isNamespaceTerminating(err) || (current !== undefined && isNotFound(err))) return;
      if (!isAlreadyExists(err) && !isConflict(err)) {
        const reason = current === undefined ? 'FailedToCreateEndpoint' : 'FailedToUpdateEndpoint';
        const verb = current === undefined ? 'create' : 'update';
        const what = `Failed to ${verb} endpoint for service ${key}: ${(err as Error).message}`;
        events.event(service, 'Warning', reason, what);
      }
      throw err;
    }
  }

  void Promise.all([services, pods, endpoints].map((informer) => informer.whenSynced())).then(() =>
    queue.run(WORKERS, sync),
  );
  return {
    name: 'endpoint-controller',
    async stop() {
      for (const unfollow of follow) unfollow();
      await queue.shutDown();
    },
  };
};

function ignoreGone(err: unknown): void {
  if (!isNotFound(err)) throw err;
}
