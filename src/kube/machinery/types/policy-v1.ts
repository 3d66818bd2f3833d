/** Wire types of policy.v1, one message a line (grammar: `line.ts`). Made by scripts/kube-types.mjs: facts, not code. */
import type { TypeGroup } from './type-group.js';

export const policyV1: TypeGroup = {
  name: 'policy.v1',
  group: 'policy',
  version: 'v1',
  openapi: 'io.k8s.api.policy.v1',
  table: `
Eviction = 1 metadata meta.v1/ObjectMeta; 2 deleteOptions meta.v1/DeleteOptions?
PodDisruptionBudget = 1 metadata meta.v1/ObjectMeta; 2 spec PodDisruptionBudgetSpec; 3 status PodDisruptionBudgetStatus
PodDisruptionBudgetSpec = 1 minAvailable intstr/IntOrString?; 2 selector meta.v1/LabelSelector?; 3 maxUnavailable intstr/IntOrString?; 4 unhealthyPodEvictionPolicy s?
PodDisruptionBudgetStatus = 1 observedGeneration l; 2 disruptedPods {s,meta.v1/Time}; 3 disruptionsAllowed i!; 4 currentHealthy i!; 5 desiredHealthy i!; 6 expectedPods i!; 7 conditions meta.v1/Condition*@type#type
`,
};
