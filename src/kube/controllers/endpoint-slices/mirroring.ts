/** Copies Endpoints that were made by hand into EndpointSlices. Source: kubernetes EndpointSlice mirroring. */
import type { StartController } from '../../kit/api.js';
import { keyOf, splitKey } from '../../kit/informer.js';
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from '../../kit/resources.js';
import type { KubeObject } from '../../machinery/object.js';
import { LEADER, TRIGGER_TIME } from '../endpoints/service-pods.js';
import { mirrorGroups } from './service-groups.js';
import { SERVICE_NAME } from './slice-plan.js';
import { SliceWriter } from './slice-writer.js';

const MANAGER = 'endpointslicemirroring-controller.k8s.io';
const SKIP = 'endpointslice.kubernetes.io/skip-mirror';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const WORKERS = 2;

export const startEndpointSliceMirroring: StartController = (context) => {
  const { informers } = context;
  const services = informers.of(SERVICES);
  const endpoints = informers.of(ENDPOINTS);
  const slices = informers.of(ENDPOINT_SLICES);
  const queue = context.queue('endpoint_slice_mirroring');
  const writer = new SliceWriter(context, MANAGER);
  const add = (object: KubeObject) => queue.add(keyOf(object));
  const ofSlice = (slice: KubeObject) => {
    const service = slice.metadata.labels?.[SERVICE_NAME];
    if (service !== undefined && writer.isMine(slice)) queue.add(`${slice.metadata.namespace}/${service}`);
  };
  const follow = [
    services.onChange({ add, update: (_, service) => add(service), delete: add }),
    endpoints.onChange({ add, update: (_, object) => add(object), delete: add }),
    slices.onChange({ add: ofSlice, update: (_, slice) => ofSlice(slice), delete: ofSlice }),
  ];

  async function sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const source = endpoints.get(namespace, name);
    const service = services.get(namespace, name);
    const { labels = {}, annotations = {} } = source?.metadata ?? {};
    const isHandMade =
      source !== undefined &&
      service !== undefined &&
      Object.keys(service.spec?.selector ?? {}).length === 0 &&
      labels[SKIP] !== 'true' &&
      annotations[LEADER] === undefined;
    if (!isHandMade) return writer.sync(namespace, name, [], null);
    const copied = { ...annotations };
    delete copied[LAST_APPLIED];
    delete copied[TRIGGER_TIME];
    await writer.sync(namespace, name, mirrorGroups(source), { owner: source, labels, annotations: copied });
  }

  void Promise.all([services, endpoints, slices].map((informer) => informer.whenSynced())).then(() =>
    queue.run(WORKERS, sync),
  );
  return {
    name: 'endpoint-slice-mirroring-controller',
    async stop() {
      for (const unfollow of follow) unfollow();
      await queue.shutDown();
      writer.stop();
    },
  };
};
