/** Nodes: kubelets and what they run containers with. The front door. */

export { Kubelet, type KubeletOptions } from './kubelet.js';
export { KubeletAgent } from './kubelet-agent.js';
export type { NodeFacts } from './node-object.js';
export { PodIps } from './pod-ips.js';
export type * from './runtime.js';
export { RuntimeError } from './runtime.js';
export { SimRuntime } from './sim/sim-runtime.js';
export { nodeFacts, type RunningNodes, type SimNodesOptions, simNodes, startSimNodes } from './sim-nodes.js';
