/**
 * HorizontalPodAutoscalers of autoscaling/v1 know one number, the CPU target. They are stored as v2; what v1 has no
 * member for travels in annotations, so that nothing is lost on the way there and back.
 */
import type { KubeObject } from '../machinery/object.js';
import type { Loose } from './loose.js';
import { copy, listOf } from './loose.js';

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const CURRENT = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';

function isCpuTarget(metric: Loose): boolean {
  const { name, target } = metric.resource ?? {};
  return metric.type === 'Resource' && name === 'cpu' && target?.type === 'Utilization';
}

function cpuTarget(percentage: number): Loose {
  const target = { type: 'Utilization', averageUtilization: percentage };
  return { type: 'Resource', resource: { name: 'cpu', target } };
}

function parseAnnotation(text: string | undefined): Loose {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param v1 is not changed */
export function hpaToV2(v1: KubeObject): KubeObject {
  const v2 = copy(v1);
  v2.apiVersion = 'autoscaling/v2';
  const annotations = v2.metadata.annotations ?? {};
  const { targetCPUUtilizationPercentage: target, ...spec } = v2.spec ?? {};
  const metrics = listOf(parseAnnotation(annotations[METRICS]));
  if (typeof target === 'number') metrics.unshift(cpuTarget(target));
  const behavior = parseAnnotation(annotations[BEHAVIOR]);
  v2.spec = { ...spec, ...(metrics.length > 0 ? { metrics } : {}), ...(behavior ? { behavior } : {}) };
  if (v2.status !== undefined && v2.status !== null) {
    const { currentCPUUtilizationPercentage: current, ...status } = v2.status;
    const currentMetrics = listOf(parseAnnotation(annotations[CURRENT]));
    if (typeof current === 'number') {
      const resource = { name: 'cpu', current: { averageUtilization: current } };
      currentMetrics.unshift({ type: 'Resource', resource });
    }
    const conditions = parseAnnotation(annotations[CONDITIONS]);
    v2.status = {
      ...status,
      ...(currentMetrics.length > 0 ? { currentMetrics } : {}),
      ...(conditions ? { conditions } : {}),
    };
  }
  for (const name of [METRICS, CURRENT, CONDITIONS, BEHAVIOR]) delete annotations[name];
  if (v2.metadata.annotations !== undefined && Object.keys(annotations).length === 0) delete v2.metadata.annotations;
  return v2;
}

/** @param v2 is not changed */
export function hpaToV1(v2: KubeObject): KubeObject {
  const v1 = copy(v2);
  v1.apiVersion = 'autoscaling/v1';
  const { metrics, behavior, ...spec } = v1.spec ?? {};
  const annotations: Record<string, string> = { ...v1.metadata.annotations };
  const all = listOf(metrics);
  const first = all.find(isCpuTarget);
  const others = all.filter((metric) => metric !== first);
  v1.spec = spec;
  if (first !== undefined) v1.spec.targetCPUUtilizationPercentage = first.resource.target.averageUtilization;
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others);
  if (behavior) annotations[BEHAVIOR] = JSON.stringify(behavior);
  if (v1.status !== undefined && v1.status !== null) {
    const { currentMetrics, conditions, ...status } = v1.status;
    const current = listOf(currentMetrics);
    const cpu = current.find(
      (metric) => metric.resource?.name === 'cpu' && typeof metric.resource.current?.averageUtilization === 'number',
    );
    const rest = current.filter((metric) => metric !== cpu);
    v1.status = status;
    if (cpu !== undefined) v1.status.currentCPUUtilizationPercentage = cpu.resource.current.averageUtilization;
    if (rest.length > 0) annotations[CURRENT] = JSON.stringify(rest);
    if (listOf(conditions).length > 0) annotations[CONDITIONS] = JSON.stringify(conditions);
  }
  if (Object.keys(annotations).length > 0) v1.metadata.annotations = annotations;
  return v1;
}
