/** Keeps the EndpointSlices of Services that select pods. Source: kubernetes EndpointSlices. */
import type { StartController } from '../../kit/api.js';
import { keyOf, splitKey } from '../../kit/informer.js';
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../../kit/resources.js';
import type { KubeObject } from '../../machinery/object.js';
import { endpointFacts, HEADLESS, hasPods, selects, servicesOf, triggerTime } from '../endpoints/service-pods.js';
import { groupsOf } from './service-groups.js';
import { SERVICE_NAME } from './slice-plan.js';
import { SliceWriter, since } from './slice-writer.js';

const MANAGER = 'endpointslice-controller.k8s.io';
const ZONE = 'topology.kubernetes.io/zone';
const WORKERS = 5;

export const startEndpointSlices: StartController = (context) => {
  const { informers } = context;
  const services = informers.of(SERVICES);
  const pods = informers.of(PODS);
  const nodes = informers.of(NODES);
  const slices = informers.of(ENDPOINT_SLICES);
  const queue = context.queue('endpoint_slice');
  const events = context.recorder('endpoint-slice-controller');
  const writer = new SliceWriter(context, MANAGER);
  const zoneOf = (name: string): string | undefined => nodes.get('', name)?.metadata.labels?.[ZONE];
  const ofPod = (pod: KubeObject) => servicesOf(services, pod).forEach((key) => void queue.add(key));
  const ofSlice = (slice: KubeObject) => {
    const service = slice.metadata.labels?.[SERVICE_NAME];
    if (service !== undefined && writer.isMine(slice)) queue.add(`${slice.metadata.namespace}/${service}`);
  };
  const ofService = (service: KubeObject) => queue.add(keyOf(service));
  const everything = () => services.list().filter(hasPods).forEach(ofService);
  const follow = [
    services.onChange({ add: ofService, update: (_, service) => ofService(service), delete: ofService }),
    pods.onChange({
      add: ofPod,
      update(old, pod) {
        if (endpointFacts(old) === endpointFacts(pod)) return;
        ofPod(old);
        ofPod(pod);
      },
      delete: ofPod,
    }),
    slices.onChange({
      add: ofSlice,
      update(old, slice) {
        ofSlice(old);
        ofSlice(slice);
      },
      delete: ofSlice,
    }),
    nodes.onChange({
      add: (node) => node.metadata.labels?.[ZONE] !== undefined && everything(),
      update: (old, node) => old.metadata.labels?.[ZONE] !== node.metadata.labels?.[ZONE] && everything(),
    }),
  ];

  async function sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const service = services.get(namespace, name);
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) {
      if (service === undefined) await writer.sync(namespace, name, [], null);
      return;
    }
    // Ours from a time when it had a selector stay: somebody else may have taken them over.
    if (!hasPods(service)) return;
    const mine = pods.list(namespace).filter((pod) => selects(service, pod));
    const labels: Record<string, string> = { ...service.metadata.labels };
    delete labels[HEADLESS];
    if (service.spec.clusterIP === 'None') labels[HEADLESS] = '';
    try {
      const annotations = since(triggerTime(service, mine));
      await writer.sync(namespace, name, groupsOf(service, mine, zoneOf), { owner: service, labels, annotations });
    } catch (err) {
      const what = `Error updating Endpoint Slices for Service ${key}: ${(err as Error).message}`;
      events.event(service, 'Warning', 'FailedToUpdateEndpointSlices', what);
      throw err;
    }
  }

  void Promise.all([services, pods, nodes, slices].map((informer) => informer.whenSynced())).then(() =>
    queue.run(WORKERS, sync),
  );
  return {
    name: 'endpoint-slice-controller',
    async stop() {
      for (const unfollow of follow) unfollow();
      await queue.shutDown();
      writer.stop();
    },
  };
};
