/**
 * APIServices: one of its own for every version of every group that this server answers for, kept in step with the
 * kinds that are served, and those that send requests to other servers, for whoever routes them.
 */
import { apiServiceKind } from '../kinds/api-service.js';
import type { Kinds } from '../kinds/kind.js';
import { ApiError } from '../machinery/api-error.js';
import { equalJson } from '../machinery/json-value.js';
import type { KubeObject } from '../machinery/object.js';
import { serverContext } from '../rest/keeper.js';
import type { Resource, Resources } from '../rest/resource.js';
import type { WatchedKindOptions } from '../rest/watched-kind.js';
import { WatchedKind } from '../rest/watched-kind.js';
import type { ApiService, ApiServiceCondition } from './api-service.js';
import { availableCondition } from './api-service.js';
import type { Definition } from './definition.js';
import { definitionKind } from './definition-kind.js';

/** `onstart` for built-in groups, `true` for those of definitions. */
export const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';

/** The order of built-in groups: group and version priority. Others follow. */
const PRIORITIES: Readonly<Record<string, number>> = {
  '': 18000,
  apps: 17800,
  'events.k8s.io': 17750,
  'authentication.k8s.io': 17700,
  'authorization.k8s.io': 17600,
  autoscaling: 17500,
  batch: 17400,
  'certificates.k8s.io': 17300,
  'networking.k8s.io': 17200,
  policy: 17100,
  'rbac.authorization.k8s.io': 17000,
  'storage.k8s.io': 16800,
  'apiextensions.k8s.io': 16700,
  'admissionregistration.k8s.io': 16700,
  'scheduling.k8s.io': 16600,
  'coordination.k8s.io': 16500,
  'node.k8s.io': 16300,
  'discovery.k8s.io': 16200,
};
const CUSTOM_PRIORITY = { group: 1000, version: 100 };

const LOCAL: Omit<ApiServiceCondition, 'lastTransitionTime'> = {
  type: 'Available',
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};

export interface ApiServicesOptions extends WatchedKindOptions {
  readonly resources: Resources;
  readonly kinds: Kinds;
  /** Groups that are there from the start: the rest came from definitions. Default: those served when it is made. */
  readonly builtinGroups?: ReadonlySet<string>;
  readonly onError?: (error: unknown) => void;
  /** ms since the epoch. Default Date.now. */
  readonly now?: () => number;
}

/** What an APIService of another server stands for, as a router wants it. */
export interface RemoteService {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number };
  readonly insecureSkipTLSVerify: boolean;
  /** PEM, or undefined for the system's own authorities. */
  readonly ca: Buffer | undefined;
  readonly available: boolean;
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
}

export class ApiServices {
  readonly services: WatchedKind;
  readonly #options: ApiServicesOptions;
  readonly #resource: Resource;
  readonly #builtin: ReadonlySet<string>;
  readonly #context = serverContext('kube-aggregator');
  #syncing: Promise<void> | undefined;
  #again = false;

  constructor(options: ApiServicesOptions) {
    this.#options = options;
    this.#builtin = options.builtinGroups ?? new Set(options.kinds.all().map((kind) => kind.group));
    this.#resource = options.resources.of(apiServiceKind);
    this.services = new WatchedKind(this.#resource, options);
  }

  /** Resolves when there is one for each group version of now. @param ms wait no longer for the state */
  async start(ms = 5000): Promise<void> {
    this.services.start();
    await this.services.whenSynced(ms);
    await this.sync();
  }

  stop(): void {
    this.services.stop();
  }

  /** To be called after kinds came or went. Several calls at once are one more round. */
  sync(): Promise<void> {
    if (this.#syncing !== undefined) {
      this.#again = true;
      return this.#syncing;
    }
    this.#syncing = this.#rounds().finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  /** Whoever answers for the group version elsewhere; undefined when it is answered here, or by nobody. */
  remote(group: string, version: string): RemoteService | undefined {
    const service = this.services.get('', `${version}.${group}`) as ApiService | undefined;
    return service === undefined ? undefined : remoteOf(service);
  }

  /** All that are answered elsewhere: for discovery, and to be probed. */
  remotes(): RemoteService[] {
    return [...(this.services.list() as Generator<ApiService>)].flatMap((service) => remoteOf(service) ?? []);
  }

  /**
   * What a probe found, as the condition Available: reasons ServiceNotFound, ServicePortError, EndpointsNotFound,
   * MissingEndpoints, FailedDiscoveryCheck, Passed (`all checks passed`). Writes only what is new.
   */
  async setAvailable(name: string, available: boolean, reason: string, message: string): Promise<void> {
    const condition = { type: 'Available', status: available ? 'True' : 'False', reason, message } as const;
    await this.#setCondition(name, condition);
  }

  async #rounds(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#round();
      } catch (error) {
        this.#options.onError?.(error);
      }
    } while (this.#again);
  }

  async #round(): Promise<void> {
    const wanted = this.#wanted();
    for (const [name, service] of wanted) {
      const there = this.services.get('', name) as ApiService | undefined;
      if (there === undefined) await this.#create(name, service);
      else if (there.spec.service === undefined && availableCondition(there)?.reason !== LOCAL.reason) {
        await this.#setCondition(name, LOCAL);
      }
    }
    for (const service of [...(this.services.list() as Generator<ApiService>)]) {
      const name = service.metadata.name!;
      if (wanted.has(name) || service.metadata.labels?.[AUTOMANAGED] === undefined) continue;
      if (await this.#isDefined(service)) continue;
      await ignoring('NotFound', this.#resource.delete(this.#context, '', name, {}));
    }
  }

  /** Another server may have heard of a definition before this one has. */
  async #isDefined({ spec }: ApiService): Promise<boolean> {
    const { items } = await this.#options.resources.of(definitionKind).list({ namespace: '' });
    return (items as readonly Definition[]).some(
      (definition) =>
        definition.spec.group === spec.group &&
        definition.spec.versions.some((version) => version.served && version.name === spec.version),
    );
  }

  async #create(name: string, service: KubeObject): Promise<void> {
    await ignoring('AlreadyExists', this.#resource.create(this.#context, '', service));
    await this.#setCondition(name, LOCAL);
  }

  #wanted(): Map<string, KubeObject> {
    const wanted = new Map<string, KubeObject>();
    for (const { group, version } of this.#options.kinds.all()) {
      // The group of APIServices is there by itself.
      if (group === apiServiceKind.group) continue;
      const builtin = this.#builtin.has(group);
      const name = `${version}.${group}`;
      const priority = {
        groupPriorityMinimum: PRIORITIES[group] ?? CUSTOM_PRIORITY.group,
        versionPriority: builtin ? versionPriority(group, version) : CUSTOM_PRIORITY.version,
      };
      wanted.set(name, {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name, labels: { [AUTOMANAGED]: builtin ? 'onstart' : 'true' } },
        spec: { ...(group === '' ? {} : { group }), version, ...priority },
      });
    }
    return wanted;
  }

  async #setCondition(name: string, condition: Omit<ApiServiceCondition, 'lastTransitionTime'>): Promise<void> {
    const change = (object: KubeObject): void => {
      const service = object as ApiService;
      const old = availableCondition(service);
      const { lastTransitionTime, ...said } = old ?? {};
      if (equalJson(said, condition)) return;
      const time = old?.status === condition.status ? lastTransitionTime : undefined;
      const made: ApiServiceCondition = { ...condition, lastTransitionTime: time ?? this.#time() };
      const others = service.status?.conditions?.filter((one) => one !== old) ?? [];
      service.status = { ...service.status, conditions: [...others, made] };
    };
    await ignoring('NotFound', this.#resource.modify(this.#context, '', name, 'status', change));
  }

  #time(): string {
    return `${new Date((this.#options.now ?? Date.now)()).toISOString().slice(0, 19)}Z`;
  }
}

/** The newer version of autoscaling is preferred to the older one; elsewhere there is one. */
function versionPriority(group: string, version: string): number {
  if (group === '') return 1;
  return group === 'autoscaling' && version === 'v2' ? 30 : 15;
}

function remoteOf({ metadata, spec, status }: ApiService): RemoteService | undefined {
  if (spec.service === undefined) return undefined;
  const { namespace = '', name = '', port = 443 } = spec.service;
  return {
    name: metadata.name!,
    group: spec.group ?? '',
    version: spec.version,
    service: { namespace, name, port },
    insecureSkipTLSVerify: spec.insecureSkipTLSVerify === true,
    ca: spec.caBundle ? Buffer.from(spec.caBundle, 'base64') : undefined,
    available: status?.conditions?.some((one) => one.type === 'Available' && one.status === 'True') === true,
    groupPriorityMinimum: spec.groupPriorityMinimum,
    versionPriority: spec.versionPriority,
  };
}

async function ignoring(reason: string, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === reason)) throw error;
  }
}
