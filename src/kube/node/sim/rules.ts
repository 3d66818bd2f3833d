/**
 * How a simulated container lives: by its pod's annotations, else by its command where that is one we understand, else
 * by its image's tag, else by custom. `sim.keel/<rule>` is for all containers, `sim.keel/<rule>.<container>` for one.
 */

import { controllerOf } from '../../kit/index.js';
import type { KubeObject } from '../../machinery/object.js';
import { parseQuantity, quantityMillis, quantityValue } from '../../machinery/quantity.js';
import type { ContainerRole, ContainerSpec } from '../runtime.js';
import type { SimStep } from './sim-command.js';
import { stepsOf } from './sim-command.js';

export const SIM_PREFIX = 'sim.keel/';

export interface SimRules {
  readonly pullDelayMs: number;
  /** Null: it can be pulled. */
  readonly pullError: string | null;
  readonly startDelayMs: number;
  /** Null: until it is stopped. */
  readonly runMs: number | null;
  /** Likewise once it has failed often enough. */
  readonly laterRunMs: number | null;
  readonly exitCode: number;
  /** It exits so with exitCode the first so many times, and behaves after that; infinite: always. */
  readonly failures: number;
  readonly readyDelayMs: number;
  readonly ready: boolean;
  /** Its liveness probe fails after this; null: never. */
  readonly liveMs: number | null;
  /** How long it takes to end when it is asked to; null: it does not, until it is killed. */
  readonly stopMs: number | null;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  /** Told again and again. */
  readonly log: string | null;
  readonly logEveryMs: number;
  /** From the command; null: not one that is understood. */
  readonly steps: readonly SimStep[] | null;
}

const INIT_RUN_MS = 50;
const JOB_RUN_MS = 500;
const CRASH_RUN_MS = 50;

export function rulesOf(pod: KubeObject, container: ContainerSpec, role: ContainerRole): SimRules {
  const annotations = pod.metadata.annotations ?? {};
  const text = (rule: string): string | undefined =>
    annotations[`${SIM_PREFIX}${rule}.${container.name}`] ?? annotations[`${SIM_PREFIX}${rule}`];
  const ms = (rule: string): number | undefined => {
    const given = text(rule);
    return given === undefined ? undefined : durationMs(given);
  };
  const tag: string = /:([^/:]+)$/.exec(container.image ?? '')?.[1] ?? '';
  const exitCode = text('exit-code') === undefined ? undefined : Number(text('exit-code'));
  const crashes = text('crash') === 'true' || tag === 'crash';
  const steps = stepsOf([...(container.command ?? []), ...(container.args ?? [])]);
  const run = ms('run-for') ?? (crashes ? CRASH_RUN_MS : exitCode !== undefined ? CRASH_RUN_MS : undefined);
  const usual = steps !== null ? null : usualRun(pod, role);
  return {
    pullDelayMs: ms('pull-delay') ?? 0,
    pullError: text('pull-error') ?? (tag === 'missing' ? `${container.image}: not found` : null),
    startDelayMs: ms('start-delay') ?? 0,
    runMs: run ?? usual,
    laterRunMs: ms('run-for') ?? usual,
    exitCode: exitCode ?? (crashes ? 1 : 0),
    failures: text('failures') === undefined ? Number.POSITIVE_INFINITY : Number(text('failures')),
    readyDelayMs: ms('ready-delay') ?? 0,
    ready: text('ready') !== 'false',
    liveMs: ms('live-for') ?? null,
    stopMs: text('stop-delay') === 'never' ? null : (ms('stop-delay') ?? 0),
    cpuMillis: amount(text('cpu'), 'cpu') ?? 1,
    memoryBytes: amount(text('memory'), 'memory') ?? 10 * 1024 * 1024,
    log: text('log') ?? null,
    logEveryMs: ms('log-every') ?? 1000,
    steps: run === undefined ? steps : null,
  };
}

/** Whether the pod's annotations speak of readiness: then it is asked for, even without a probe. */
export function speaksOfReadiness(pod: KubeObject, container: ContainerSpec): boolean {
  const annotations = pod.metadata.annotations ?? {};
  return ['ready', 'ready-delay'].some(
    (rule) =>
      annotations[`${SIM_PREFIX}${rule}`] !== undefined ||
      annotations[`${SIM_PREFIX}${rule}.${container.name}`] !== undefined,
  );
}

/** Servers run on; what prepares something ends, and so do the pods of Jobs. */
function usualRun(pod: KubeObject, role: ContainerRole): number | null {
  if (role === 'init') return INIT_RUN_MS;
  if (role === 'main' && controllerOf(pod)?.kind === 'Job') return JOB_RUN_MS;
  return null;
}

/** `500ms`, `2s`, `1m30s`, or a number of seconds. What is none counts as 0. */
export function durationMs(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(number) * (units[unit as string] as number);
  }
  return total;
}

function amount(text: string | undefined, resource: 'cpu' | 'memory'): number | undefined {
  if (text === undefined) return undefined;
  try {
    const quantity = parseQuantity(text);
    return Number(resource === 'cpu' ? quantityMillis(quantity) : quantityValue(quantity));
  } catch {
    return undefined;
  }
}
