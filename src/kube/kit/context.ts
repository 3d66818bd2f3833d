import type { ApiClient, ControllerContext, KubeClock, Logger } from './api.js';
import { REAL_CLOCK } from './clock.js';
import { ApiEventRecorder } from './event-recorder.js';
import { SharedInformers } from './informers.js';
import { KeyQueue } from './work-queue.js';

export interface ContextOptions {
  readonly client: ApiClient;
  readonly log: Logger;
  readonly clock?: KubeClock;
  readonly random?: () => number;
}

/** What loops are started with, of real parts. Stop the loops first, then `informers`, then the client. */
export function controllerContext({
  client,
  log,
  clock = REAL_CLOCK,
  random = Math.random,
}: ContextOptions): ControllerContext {
  return {
    client,
    clock,
    log,
    random,
    informers: new SharedInformers(client, clock, log, random),
    recorder: (component) => new ApiEventRecorder({ client, clock, log, component }),
    queue: (name) => new KeyQueue(name, clock, log),
  };
}
