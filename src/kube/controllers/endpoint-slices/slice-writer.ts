import type { ControllerContext } from '../../kit/api.js';
import { isNamespaceTerminating, isNotFound } from '../../kit/api-status-error.js';
import { controllerRef } from '../../kit/controller-ref.js';
import { ENDPOINT_SLICES } from '../../kit/resources.js';
import { equalJson } from '../../machinery/json-value.js';
import type { KubeObject } from '../../machinery/object.js';
import { TRIGGER_TIME } from '../endpoints/service-pods.js';
import { Written } from '../written.js';
import type { SliceGroup } from './slice-plan.js';
import { MANAGED_BY, planSlices, SERVICE_NAME } from './slice-plan.js';

export interface SliceOwner {
  /** Service or Endpoints. */
  readonly owner: KubeObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Writes the slices that one controller manages. */
export class SliceWriter {
  readonly #context: ControllerContext;
  readonly #manager: string;
  readonly #written: Written;

  constructor(context: ControllerContext, manager: string) {
    this.#context = context;
    this.#manager = manager;
    this.#written = new Written(context.informers.of(ENDPOINT_SLICES));
  }

  stop(): void {
    this.#written.stop();
  }

  isMine(slice: KubeObject): boolean {
    return slice.metadata.labels?.[MANAGED_BY] === this.#manager;
  }

  /** @param groups none: all slices go */
  async sync(namespace: string, service: string, groups: readonly SliceGroup[], by: SliceOwner | null): Promise<void> {
    const client = this.#context.client.resource(ENDPOINT_SLICES);
    const slices = this.#written.list(
      namespace,
      (slice) => this.isMine(slice) && slice.metadata.labels?.[SERVICE_NAME] === service,
    );
    const plan = planSlices(slices, groups);
    if (by !== null) {
      const labels = { ...by.labels, [SERVICE_NAME]: service, [MANAGED_BY]: this.#manager };
      for (const { addressType, ports, endpoints } of plan.create) {
        const metadata = {
          generateName: `${service}-`,
          namespace,
          labels,
          annotations: { ...by.annotations },
          ownerReferences: [controllerRef(by.owner)],
        };
        const apiVersion = 'discovery.k8s.io/v1';
        const slice = { apiVersion, kind: 'EndpointSlice', metadata, addressType, endpoints, ports };
        try {
          this.#written.put(await client.create(namespace, slice as unknown as KubeObject));
        } catch (err) {
          if (isNamespaceTerminating(err)) return;
          throw err;
        }
      }
      const relabelled = plan.keep
        .filter((slice) => !equalJson(slice.metadata.labels, labels))
        .map((slice) => ({ slice, endpoints: slice.endpoints }));
      for (const { slice, endpoints } of [...plan.update, ...relabelled]) {
        const annotations = { ...slice.metadata.annotations, ...by.annotations };
        const changed = { ...slice, metadata: { ...slice.metadata, labels, annotations }, endpoints };
        this.#written.put(await client.update(namespace, changed as KubeObject));
      }
    }
    for (const slice of plan.remove) {
      try {
        await client.delete(namespace, slice.metadata.name ?? '');
      } catch (err) {
        if (!isNotFound(err)) throw err;
      }
      this.#written.removed(slice);
    }
  }
}

/** @returns annotations that say since when it is so; none if that is not known */
export function since(time: string): Record<string, string> {
  return time === '' ? {} : { [TRIGGER_TIME]: time };
}
