/** The nodes that run in this process, beside the server and whatever leads. */
import type { ApiClientOptions, Logger } from '../kit/index.js';
import { controllerContext, HttpApiClient } from '../kit/index.js';
import type { RunningNodes } from '../node/index.js';
import { startSimNodes } from '../node/index.js';
import { KUBERNETES_VERSION } from '../server/index.js';

export interface LocalNodesOptions {
  readonly client: ApiClientOptions;
  readonly log: Logger;
  /** --nodes: simulated ones. */
  readonly count: number;
}

export interface LocalNodes {
  readonly running: RunningNodes;
  stop(): Promise<void>;
}

export function startLocalNodes({ client: how, log, count }: LocalNodesOptions): LocalNodes {
  const client = new HttpApiClient({ userAgent: 'kubelet', maxSockets: 32, ...how });
  const context = controllerContext({ client, log });
  const running = startSimNodes(context, { count, kubeletVersion: KUBERNETES_VERSION.gitVersion });
  return {
    running,
    async stop() {
      await running.stop();
      context.informers.stop();
      client.close();
    },
  };
}
