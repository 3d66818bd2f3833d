/** Wire types of coordination.v1, one message a line (grammar: `line.ts`). Made by scripts/kube-types.mjs: facts, not code. */
import type { TypeGroup } from './type-group.js';

export const coordinationV1: TypeGroup = {
  name: 'coordination.v1',
  group: 'coordination.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.api.coordination.v1',
  table: `
Lease = 1 metadata meta.v1/ObjectMeta; 2 spec LeaseSpec
LeaseSpec = 1 holderIdentity s?; 2 leaseDurationSeconds i?; 3 acquireTime meta.v1/MicroTime?; 4 renewTime meta.v1/MicroTime?; 5 leaseTransitions i?; 6 strategy s?; 7 preferredHolder s?
`,
};
