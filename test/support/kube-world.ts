import type { KubeOptions } from '../../src/kube/app/index.js';
import type {
  ApiClient,
  Controller,
  ControllerContext,
  Gvr,
  KubeClock,
  StartController,
} from '../../src/kube/kit/api.js';
import { controllerContext, fromKubeconfig, HttpApiClient, isNotFound } from '../../src/kube/kit/index.js';
import type { KubeObject } from '../../src/kube/machinery/object.js';
import type { LogLine } from '../../src/util/log.js';
import { memoryLogger } from '../../src/util/log.js';
import { Kubectl } from '../kube/support/kubectl.js';
import type { PlaneStore } from '../kube/support/plane.js';
import { Plane } from '../kube/support/plane.js';

export interface KubeWorldOptions {
  /** Default embedded. */
  readonly store?: PlaneStore;
  /** The loops' time; timers of the clients stay real. */
  readonly clock?: KubeClock;
  /** How the server is started, beside the loops. */
  readonly plane?: Partial<KubeOptions>;
}

/** A store, an API server with real HTTP and the loops that a test names, all in this process. */
export class KubeWorld {
  readonly plane: Plane;
  readonly client: ApiClient;
  readonly context: ControllerContext;
  /** What the loops logged. */
  readonly log: LogLine[];
  #loops: Controller[];

  private constructor(plane: Plane, client: ApiClient, context: ControllerContext, log: LogLine[]) {
    this.plane = plane;
    this.client = client;
    this.context = context;
    this.log = log;
    this.#loops = [];
  }

  static async start(loops: readonly StartController[], options: KubeWorldOptions = {}): Promise<KubeWorld> {
    const plane = await Plane.start(options.store, options.plane);
    const client = new HttpApiClient(fromKubeconfig(plane.kube.kubeconfig));
    const log: LogLine[] = [];
    const clock = options.clock === undefined ? {} : { clock: options.clock };
    const context = controllerContext({ client, log: memoryLogger(log), ...clock });
    const world = new KubeWorld(plane, client, context, log);
    world.startLoops(loops);
    return world;
  }

  startLoops(loops: readonly StartController[]): void {
    for (const start of loops) this.#loops.push(start(this.context));
  }

  async stopLoops(): Promise<void> {
    await Promise.all(this.#loops.splice(0).map((loop) => loop.stop()));
  }

  async stop(): Promise<void> {
    await this.stopLoops();
    this.context.informers.stop();
    this.client.close();
    await this.plane.stop();
  }

  /** The real kubectl; see kubectlBinary for whether there is one. */
  kubectl(): Kubectl {
    return new Kubectl(this.plane);
  }

  create(gvr: Gvr, object: KubeObject): Promise<KubeObject> {
    return this.client.resource(gvr).create(object.metadata.namespace ?? '', object);
  }

  /** Undefined if it is not there. */
  async get(gvr: Gvr, namespace: string, name: string): Promise<KubeObject | undefined> {
    try {
      return await this.client.resource(gvr).get(namespace, name);
    } catch (err) {
      if (isNotFound(err)) return undefined;
      throw err;
    }
  }

  async list(gvr: Gvr, namespace = '', labelSelector?: string): Promise<KubeObject[]> {
    const query = labelSelector === undefined ? {} : { labelSelector };
    return (await this.client.resource(gvr).list(namespace, query)).items;
  }

  /** Merges into the status of what is there, as a kubelet would. */
  setStatus(gvr: Gvr, namespace: string, name: string, status: Record<string, unknown>): Promise<KubeObject> {
    return this.client.resource(gvr).patch(namespace, name, 'merge', { status } as never, { subresource: 'status' });
  }

  /**
   * Asks again until the answer is neither undefined nor false; what it throws counts as not yet.
   * @throws after `ms` (10 s), with what the loops logged
   */
  async until<T>(
    what: string,
    ask: () => Promise<T | undefined | false> | T | undefined | false,
    ms = 10_000,
  ): Promise<T> {
    const late = Date.now() + ms;
    let last: unknown = 'no answer';
    for (;;) {
      try {
        const answer = await ask();
        if (answer !== undefined && answer !== false) return answer;
        last = answer;
      } catch (err) {
        last = err;
      }
      if (Date.now() > late) {
        const lines = this.log.slice(-15).map((line) => `${line.level} ${line.msg} ${JSON.stringify(line.fields)}`);
        throw new Error(`waited in vain for ${what}: ${String(last)}\n${lines.join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
