/**
 * metrics.k8s.io/v1beta1: what nodes and pods use, as the agents of the nodes tell it. Answered here unless an
 * APIService names another server for it. Source: kubernetes resource metrics API.
 */
import type { ApiServices } from '../crd/index.js';
import { methodNotAllowed, notFound } from '../machinery/api-error.js';
import type { RemoteVersion } from '../machinery/discovery.js';
import { matchesLabels, parseLabelSelector } from '../machinery/selectors.js';
import type { Exchange } from './exchange.js';
import type { AgentPodUsage, AgentUsage, NodeAgents } from './node-agents.js';
import type { RemoteVersions } from './pages/discovery.js';
import { respond } from './respond.js';

const GROUP = 'metrics.k8s.io';
const VERSION = 'v1beta1';
const API_VERSION = `${GROUP}/${VERSION}`;
const WINDOW = '30s';

const OURS: RemoteVersion = {
  group: GROUP,
  version: VERSION,
  stale: false,
  resources: [
    { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
    { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
  ],
};

export class ResourceMetrics {
  readonly #agents: NodeAgents;
  readonly #now: () => number;
  readonly #services: Pick<ApiServices, 'remote'>;

  constructor(agents: NodeAgents, now: () => number, services: Pick<ApiServices, 'remote'>) {
    this.#agents = agents;
    this.#now = now;
    this.#services = services;
  }

  /** Itself among those that discovery tells of; without agents there is nothing to tell. */
  beside(others: RemoteVersions): RemoteVersions {
    const isOurs = (): boolean => this.#isOurs();
    return {
      list: () => [...others.list(), ...(isOurs() ? [OURS] : [])],
      get generation() {
        return others.generation * 2 + (isOurs() ? 1 : 0);
      },
    };
  }

  /** False if the request is somebody else's. @throws ApiError 404, 405 */
  async serve(exchange: Exchange): Promise<boolean> {
    const { info } = exchange;
    if (info.group !== GROUP || info.version !== VERSION || info.resource === '' || !this.#isOurs()) return false;
    if (info.resource !== 'nodes' && info.resource !== 'pods') return false;
    if (info.verb !== 'get' && info.verb !== 'list') throw methodNotAllowed();
    const items = info.resource === 'nodes' ? this.#nodes() : this.#pods(info.namespace);
    if (info.verb === 'get') {
      const found = items.find((one) => one.metadata.name === info.name);
      if (found === undefined) throw notFound({ group: GROUP, plural: info.resource }, info.name);
      respond(exchange, 200, found);
      return true;
    }
    const selector = parseLabelSelector(info.query.get('labelSelector') ?? '');
    const kind = info.resource === 'nodes' ? 'NodeMetricsList' : 'PodMetricsList';
    const chosen = items.filter((one) => matchesLabels(selector, one.metadata.labels));
    respond(exchange, 200, { kind, apiVersion: API_VERSION, metadata: {}, items: chosen });
    return true;
  }

  #isOurs(): boolean {
    return this.#agents.all().length > 0 && this.#services.remote(GROUP, VERSION) === undefined;
  }

  #nodes() {
    const timestamp = this.#time();
    return this.#agents.all().map((agent) => ({
      kind: 'NodeMetrics',
      apiVersion: API_VERSION,
      metadata: {
        name: agent.node,
        labels: { 'kubernetes.io/hostname': agent.node } as Record<string, string>,
        creationTimestamp: timestamp,
      },
      timestamp,
      window: WINDOW,
      usage: usageText(agent.nodeUsage()),
    }));
  }

  #pods(namespace: string) {
    const timestamp = this.#time();
    const used: AgentPodUsage[] = this.#agents.all().flatMap((agent) => [...agent.podUsage()]);
    return used
      .filter(({ pod }) => namespace === '' || pod.metadata.namespace === namespace)
      .map(({ pod, containers }) => ({
        kind: 'PodMetrics',
        apiVersion: API_VERSION,
        metadata: {
          name: pod.metadata.name ?? '',
          namespace: pod.metadata.namespace ?? '',
          labels: pod.metadata.labels ?? {},
          creationTimestamp: timestamp,
        },
        timestamp,
        window: WINDOW,
        containers: containers.map((one) => ({ name: one.name, usage: usageText(one) })),
      }));
  }

  #time(): string {
    return `${new Date(this.#now()).toISOString().slice(0, 19)}Z`;
  }
}

function usageText({ cpuMillis, memoryBytes }: AgentUsage): { cpu: string; memory: string } {
  return { cpu: `${Math.round(cpuMillis)}m`, memory: `${Math.round(memoryBytes / 1024)}Ki` };
}
