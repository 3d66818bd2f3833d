/** All plug-ins, in the order in which they are asked: what is cheap and refuses much comes first. */
import type { FilterPlugin, ScorePlugin } from '../plugin.js';
import { balancedAllocation } from './balanced-allocation.js';
import { imageLocality } from './image-locality.js';
import { interPodAffinity, interPodPreference } from './inter-pod-affinity.js';
import { nodeAffinity, nodePreference } from './node-affinity.js';
import { nodeName } from './node-name.js';
import { nodePorts } from './node-ports.js';
import { leastAllocated, nodeResourcesFit } from './node-resources-fit.js';
import { nodeUnschedulable } from './node-unschedulable.js';
import { taintPreference, taintToleration } from './taint-toleration.js';
import { topologyPreference, topologySpread } from './topology-spread.js';
import { volumes } from './volumes.js';

export const FILTERS: readonly FilterPlugin[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  volumes,
  topologySpread,
  interPodAffinity,
];

export const SCORES: readonly ScorePlugin[] = [
  taintPreference,
  nodePreference,
  topologyPreference,
  interPodPreference,
  leastAllocated,
  balancedAllocation,
  imageLocality,
];
