/** ReplicaSets and their ancestor, ReplicationControllers: a number of equal pods, kept. One code for both. */
import type { StartController } from '../../kit/index.js';
import { REPLICA_SETS, REPLICATION_CONTROLLERS } from '../../kit/index.js';
import { labelSelectorOf, labelSelectorOfMap } from '../../machinery/label-selector.js';
import { startReplicas } from './replicas.js';

export const startReplicaSets: StartController = (context) =>
  startReplicas(context, {
    name: 'replicaset-controller',
    component: 'replicaset-controller',
    gvr: REPLICA_SETS,
    kind: 'ReplicaSet',
    selector: (set) => labelSelectorOf(set.spec?.selector),
  });

export const startReplicationControllers: StartController = (context) =>
  startReplicas(context, {
    name: 'replicationcontroller-controller',
    component: 'replication-controller',
    gvr: REPLICATION_CONTROLLERS,
    kind: 'ReplicationController',
    selector: (set) => labelSelectorOfMap(set.spec?.selector),
  });
