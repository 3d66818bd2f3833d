/** One container of a pod as the kubelet keeps it: what it is in, what it was in before. */
import type { KubeObject } from '../machinery/object.js';
import type { ContainerRole, ContainerSpec, RunningContainer } from './runtime.js';

export interface WaitingState {
  readonly kind: 'waiting';
  readonly reason: string;
  readonly message?: string;
}
export interface RunningState {
  readonly kind: 'running';
  readonly startedAt: number;
}
export interface TerminatedState {
  readonly kind: 'terminated';
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly containerId: string;
}
export type ContainerState = WaitingState | RunningState | TerminatedState;

export interface ContainerSlot {
  readonly name: string;
  readonly role: ContainerRole;
  spec: ContainerSpec;
  state: ContainerState;
  last: TerminatedState | null;
  restarts: number;
  /** Passed its startup probe, and its postStart hook. */
  started: boolean;
  ready: boolean;
  containerId: string;
  imageId: string;
  running: RunningContainer | null;
  /** A start is under way. */
  starting: boolean;
  /** It was told to end. */
  stopping: boolean;
  /** How long the next restart waits after the end; 0: not at all. */
  backoffMs: number;
  pullBackoffMs: number;
  /** Not before, ms; its timer calls. */
  notBefore: number;
}

export function slotsOf(pod: KubeObject): { inits: ContainerSlot[]; mains: ContainerSlot[] } {
  const make = (spec: ContainerSpec, role: ContainerRole): ContainerSlot => ({
    name: spec.name,
    role,
    spec,
    state: { kind: 'waiting', reason: role === 'main' && hasInits ? 'PodInitializing' : 'ContainerCreating' },
    last: null,
    restarts: 0,
    started: false,
    ready: false,
    containerId: '',
    imageId: '',
    running: null,
    starting: false,
    stopping: false,
    backoffMs: 0,
    pullBackoffMs: 0,
    notBefore: 0,
  });
  const initSpecs: ContainerSpec[] = pod.spec?.initContainers ?? [];
  const hasInits = initSpecs.length > 0;
  const inits = initSpecs.map((spec, i) => {
    const slot = make(spec, spec.restartPolicy === 'Always' ? 'sidecar' : 'init');
    if (i > 0) slot.state = { kind: 'waiting', reason: 'PodInitializing' };
    return slot;
  });
  return { inits, mains: (pod.spec?.containers ?? []).map((spec: ContainerSpec) => make(spec, 'main')) };
}

// biome-ignore lint/suspicious/noExplicitAny: a container's status
type Loose = any;

/** Takes over what an earlier kubelet told of it. @returns the id of one that ran, or '' */
export function restoreSlot(slot: ContainerSlot, status: Loose): { id: string; startedAt: number } | null {
  if (status === undefined) return null;
  slot.restarts = status.restartCount ?? 0;
  slot.last = terminatedOf(status.lastState?.terminated);
  slot.containerId = status.containerID ?? '';
  slot.imageId = status.imageID ?? '';
  const ended = terminatedOf(status.state?.terminated);
  if (ended !== null) slot.state = ended;
  if (slot.restarts > 0) slot.backoffMs = 1;
  const running = status.state?.running;
  return running === undefined ? null : { id: slot.containerId, startedAt: Date.parse(running.startedAt) };
}

function terminatedOf(state: Loose): TerminatedState | null {
  if (state === undefined) return null;
  return {
    kind: 'terminated',
    exitCode: state.exitCode ?? 0,
    ...(state.signal === undefined ? {} : { signal: state.signal }),
    reason: state.reason ?? '',
    ...(state.message === undefined ? {} : { message: state.message }),
    startedAt: Date.parse(state.startedAt ?? '') || 0,
    finishedAt: Date.parse(state.finishedAt ?? '') || 0,
    containerId: state.containerID ?? '',
  };
}

/** Whether one that has ended is to run again. */
export function restartsAfter(slot: ContainerSlot, policy: string, exitCode: number): boolean {
  if (slot.role === 'sidecar') return true;
  // An init container that succeeded is done, whatever the policy.
  if (slot.role === 'init') return exitCode !== 0 && policy !== 'Never';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}
