/** Wire types of scheduling.v1, one message a line (grammar: `line.ts`). Made by scripts/kube-types.mjs: facts, not code. */
import type { TypeGroup } from './type-group.js';

export const schedulingV1: TypeGroup = {
  name: 'scheduling.v1',
  group: 'scheduling.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.api.scheduling.v1',
  table: `
PriorityClass = 1 metadata meta.v1/ObjectMeta; 2 value i!; 3 globalDefault b; 4 description s; 5 preemptionPolicy s?
`,
};
