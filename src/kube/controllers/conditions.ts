/** Conditions of a status, and the time in them. */
import type { KubeObject } from '../machinery/object.js';

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastProbeTime?: string;
  lastTransitionTime?: string;
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  return (object.status?.conditions as Condition[] | undefined)?.find((condition) => condition.type === type);
}

export function hasCondition(object: KubeObject, type: string): boolean {
  return conditionOf(object, type)?.status === 'True';
}

/** A list with this one in its place; its time moves with its status only. */
export function withCondition(
  conditions: readonly Condition[],
  wanted: { type: string; status: string; reason?: string; message?: string },
  now: number,
): Condition[] {
  const old = conditions.find(({ type }) => type === wanted.type);
  const lastTransitionTime = old?.status === wanted.status ? (old.lastTransitionTime ?? timeOf(now)) : timeOf(now);
  const made: Condition = { ...old, ...wanted, lastTransitionTime };
  return old === undefined ? [...conditions, made] : conditions.map((each) => (each === old ? made : each));
}

/** RFC 3339, whole seconds. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
