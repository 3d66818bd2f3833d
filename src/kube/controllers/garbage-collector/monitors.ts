/** One watch a resource that can be deleted, as discovery names them; custom resources come and go. */
import type { ControllerContext, Gvr, Informer } from '../../kit/api.js';
import type { ServedResource } from '../../kit/discovery.js';
import { discoverResources } from '../../kit/discovery.js';
import { ListWatchInformer } from '../../kit/informer.js';
import * as shared from '../../kit/resources.js';
import type { KubeObject } from '../../machinery/object.js';
import { parseApiVersion } from '../../machinery/object.js';
import type { OwnerGraph } from './graph.js';

const REFRESH_MS = 30_000;
/** Between a definition's change and what discovery says of it. */
const SETTLE_MS = 250;
/** An object of a resource that does not answer must not keep all others from their end. */
const SYNC_MS = 10_000;
const CUSTOM_DEFINITIONS: Gvr = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
/** Others watch these anyway. */
const SHARED = new Set(Object.values(shared).map(nameOf));

interface Monitor {
  readonly resource: ServedResource;
  readonly informer: Informer;
  readonly stop: () => void;
}

export class Monitors {
  readonly #context: ControllerContext;
  readonly #graph: OwnerGraph;
  readonly #monitors = new Map<string, Monitor>();
  readonly #byKind = new Map<string, ServedResource>();
  readonly #definitions: Informer;
  #unfollow: () => void = () => {};
  #timer: unknown = null;
  #refreshing: Promise<void> | null = null;
  #stopped = false;

  constructor(context: ControllerContext, graph: OwnerGraph) {
    this.#context = context;
    this.#graph = graph;
    this.#definitions = context.informers.of(CUSTOM_DEFINITIONS);
  }

  /** Resolves when everything that answers is in the graph. */
  async start(): Promise<void> {
    const soon = () => this.#arm(SETTLE_MS);
    this.#unfollow = this.#definitions.onChange({ add: soon, update: soon, delete: soon });
    await this.refresh();
    const synced = Promise.all([...this.#monitors.values()].map(({ informer }) => informer.whenSynced()));
    const { clock } = this.#context;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, SYNC_MS);
      void synced.then(() => {
        clock.clearTimeout(timer);
        resolve();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#unfollow();
    if (this.#timer !== null) this.#context.clock.clearTimeout(this.#timer);
    for (const monitor of this.#monitors.values()) monitor.stop();
    this.#monitors.clear();
  }

  /** How a reference's kind is asked for; any version of its group will do. */
  resourceOf(apiVersion: string, kind: string): ServedResource | undefined {
    return this.#byKind.get(`${parseApiVersion(apiVersion).group}/${kind}`);
  }

  /** Asks discovery now. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
      this.#arm(REFRESH_MS);
    });
    return this.#refreshing;
  }

  #arm(ms: number): void {
    if (this.#stopped) return;
    const { clock } = this.#context;
    if (this.#timer !== null) clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => void this.refresh(), ms);
  }

  async #refresh(): Promise<void> {
    const { client, log } = this.#context;
    try {
      const { resources, failures } = await discoverResources(client);
      if (this.#stopped) return;
      for (const failure of failures) log.warn('resources that cannot be discovered are not collected', { failure });
      const served = new Set<string>();
      for (const resource of resources) {
        const { gvr, kind, verbs } = resource;
        const name = nameOf(gvr);
        served.add(name);
        if (verbs.includes('get')) this.#byKind.set(`${gvr.group}/${kind}`, resource);
        if (gvr.plural === 'events' || !['list', 'watch', 'delete'].every((verb) => verbs.includes(verb))) continue;
        if (!this.#monitors.has(name)) this.#monitors.set(name, this.#monitor(resource));
      }
      // Where a part of discovery is missing, what is not named may still be there.
      if (failures.length === 0) for (const name of this.#monitors.keys()) if (!served.has(name)) this.#drop(name);
    } catch (err) {
      log.warn('discovery failed', { error: (err as Error).message });
    }
  }

  #monitor(resource: ServedResource): Monitor {
    const { informers, client, clock, log, random } = this.#context;
    const handler = {
      add: (object: KubeObject) => this.#graph.put(object),
      update: (_old: KubeObject, object: KubeObject) => this.#graph.put(object),
      delete: (object: KubeObject) => this.#graph.remove(object.metadata.uid ?? ''),
    };
    if (SHARED.has(nameOf(resource.gvr))) {
      const informer = informers.of(resource.gvr);
      return { resource, informer, stop: informer.onChange(handler) };
    }
    const informer = new ListWatchInformer({ client: client.resource(resource.gvr), clock, log, random });
    informer.onChange(handler);
    informer.start();
    return { resource, informer, stop: () => void informer.stop() };
  }

  #drop(name: string): void {
    const { resource, stop, informer } = this.#monitors.get(name)!;
    stop();
    this.#monitors.delete(name);
    const { gvr, kind } = resource;
    this.#byKind.delete(`${gvr.group}/${kind}`);
    // A definition takes its objects along; a server behind the aggregation layer may only be away.
    const defined = this.#definitions.list().some(({ spec }) => spec.group === gvr.group && spec.names.kind === kind);
    if (defined) return;
    for (const { metadata } of informer.list()) this.#graph.remove(metadata.uid ?? '');
  }
}

function nameOf({ group, version, plural }: Gvr): string {
  return `${group}/${version}/${plural}`;
}
