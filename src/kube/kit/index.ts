/** The kit for controllers and operators: `import { ... } from 'keel/kube'`. docs/controllers.md shows how to write one. */
export type * from './api.js';
export {
  ApiStatusError,
  isAlreadyExists,
  isConflict,
  isExpired,
  isNamespaceTerminating,
  isNotFound,
  orNull,
} from './api-status-error.js';
export { REAL_CLOCK, sleep } from './clock.js';
export { controllerContext } from './context.js';
export { claim, controllerOf, controllerRef, isControlledBy } from './controller-ref.js';
export { ApiEventRecorder } from './event-recorder.js';
export { Expectations } from './expectations.js';
export { type ApiClientOptions, HttpApiClient } from './http-client.js';
export { type InformerOptions, keyOf, ListWatchInformer, splitKey } from './informer.js';
export { SharedInformers } from './informers.js';
export { fromKubeconfig } from './kubeconfig.js';
export { LeaderElection, type LeaderElectionOptions, microTime } from './leader-election.js';
export { matchesMap, matchesNodeSelector, matchesTerm, type NodeSelectorTerm, wantsNode } from './node-selector.js';
export * from './resources.js';
export { slowStart } from './slow-start.js';
export { isTolerated, type Taint, type Toleration, tolerates, tolerationsOf } from './tolerations.js';
export { KeyQueue } from './work-queue.js';
