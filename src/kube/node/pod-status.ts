/** A pod's status as its kubelet tells it, made of what its containers are in. Pure. Source: kubernetes pod lifecycle. */
import type { JsonObject, KubeObject } from '../machinery/object.js';
import type { ContainerSlot, ContainerState } from './container-slot.js';
import { restartsAfter } from './container-slot.js';

export interface PodFacts {
  readonly pod: KubeObject;
  readonly inits: readonly ContainerSlot[];
  readonly mains: readonly ContainerSlot[];
  readonly podIp: string;
  readonly hostIp: string;
  readonly startedAt: number;
  readonly now: number;
  /** It was ended for a reason of its own: DeadlineExceeded, Evicted. */
  readonly verdict: { readonly reason: string; readonly message: string } | null;
  /** All containers were told to end, and will not be started again. */
  readonly ending: boolean;
}

export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

export function podStatus(facts: PodFacts): JsonObject {
  const { pod, inits, mains, podIp, hostIp, verdict } = facts;
  const phase = phaseOf(facts);
  const over = phase === 'Succeeded' || phase === 'Failed';
  const initialized = isInitialized(facts);
  const containersReady = !over && initialized && [...mains, ...inits.filter(isSidecar)].every((slot) => slot.ready);
  const statuses = (slots: readonly ContainerSlot[]): JsonObject[] => slots.map((slot) => containerStatus(slot));
  return {
    phase,
    ...(verdict === null ? {} : { reason: verdict.reason, message: verdict.message }),
    conditions: conditionsOf(facts, phase, initialized, containersReady),
    ...(hostIp === '' ? {} : { hostIP: hostIp, hostIPs: [{ ip: hostIp }] }),
    ...(podIp === '' ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    startTime: timeText(facts.startedAt),
    qosClass: pod.status?.qosClass ?? 'BestEffort',
    ...(inits.length === 0 ? {} : { initContainerStatuses: statuses(inits) }),
    containerStatuses: statuses(mains),
  };
}

const isSidecar = (slot: ContainerSlot): boolean => slot.role === 'sidecar';

export function isInitialized({ inits }: Pick<PodFacts, 'inits'>): boolean {
  return inits.every((slot) =>
    isSidecar(slot) ? slot.started : slot.state.kind === 'terminated' && slot.state.exitCode === 0,
  );
}

export function phaseOf({ pod, inits, mains, verdict, ending }: PodFacts): string {
  const policy: string = pod.spec?.restartPolicy ?? 'Always';
  const ended = (slot: ContainerSlot): boolean =>
    slot.state.kind === 'terminated' && (ending || !restartsAfter(slot, policy, slot.state.exitCode));
  const running = [...inits, ...mains].some((slot) => slot.state.kind === 'running');
  if (verdict !== null) return 'Failed';
  const failedInit = inits.some(
    (slot) => slot.role === 'init' && slot.state.kind === 'terminated' && slot.state.exitCode !== 0 && ended(slot),
  );
  if (failedInit && !running) return 'Failed';
  const begun = mains.some((slot) => slot.state.kind !== 'waiting' || slot.last !== null);
  if (mains.every(ended)) {
    // Sidecars may need a moment to end; what they end with does not matter.
    if (running) return 'Running';
    return mains.every((slot) => slot.state.kind === 'terminated' && slot.state.exitCode === 0)
      ? 'Succeeded'
      : 'Failed';
  }
  return begun ? 'Running' : 'Pending';
}

function conditionsOf(
  { pod, mains, inits, podIp, now }: PodFacts,
  phase: string,
  initialized: boolean,
  containersReady: boolean,
): JsonObject[] {
  const done = phase === 'Succeeded';
  const names = (slots: readonly ContainerSlot[]): string => slots.map((slot) => slot.name).join(' ');
  const unready =
    phase === 'Succeeded' || phase === 'Failed'
      ? { reason: done ? 'PodCompleted' : 'PodFailed' }
      : {
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${names([...mains, ...inits.filter(isSidecar)].filter((slot) => !slot.ready))}]`,
        };
  const incomplete = inits.filter((slot) =>
    isSidecar(slot) ? !slot.started : !(slot.state.kind === 'terminated' && slot.state.exitCode === 0),
  );
  const given: readonly { type: string; status: string }[] = pod.status?.conditions ?? [];
  const missing = ((pod.spec?.readinessGates ?? []) as { conditionType: string }[]).filter(
    (gate) => given.find((one) => one.type === gate.conditionType)?.status !== 'True',
  );
  const ready: JsonObject = !containersReady
    ? { status: 'False', ...unready }
    : missing.length === 0
      ? { status: 'True' }
      : {
          status: 'False',
          reason: 'ReadinessGatesNotReady',
          message: missing
            .map(
              ({ conditionType }) => `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
            )
            .join(', '),
        };
  const hasSandbox = podIp !== '' && phase !== 'Succeeded' && phase !== 'Failed';
  const wanted: (JsonObject & { type: string; status: string })[] = [
    { type: 'PodReadyToStartContainers', status: hasSandbox ? 'True' : 'False' },
    initialized || done
      ? { type: 'Initialized', status: 'True', ...(done ? { reason: 'PodCompleted' } : {}) }
      : {
          type: 'Initialized',
          status: 'False',
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: [${names(incomplete)}]`,
        },
    { type: 'Ready', ...ready } as JsonObject & { type: string; status: string },
    containersReady
      ? { type: 'ContainersReady', status: 'True' }
      : { type: 'ContainersReady', status: 'False', ...unready },
    { type: 'PodScheduled', status: 'True' },
  ];
  return wanted.map((condition) => {
    const old = given.find((one) => one.type === condition.type) as (JsonObject & { status: string }) | undefined;
    const since = old?.status === condition.status ? old.lastTransitionTime : undefined;
    return { ...condition, lastProbeTime: null, lastTransitionTime: since ?? timeText(now) };
  });
}

function containerStatus(slot: ContainerSlot): JsonObject {
  return {
    name: slot.name,
    image: slot.spec.image ?? '',
    imageID: slot.imageId,
    ...(slot.containerId === '' ? {} : { containerID: slot.containerId }),
    ready: slot.ready,
    started: slot.started,
    restartCount: slot.restarts,
    state: stateOf(slot.state),
    lastState: slot.last === null ? {} : stateOf(slot.last),
  };
}

function stateOf(state: ContainerState): JsonObject {
  switch (state.kind) {
    case 'waiting':
      return { waiting: { reason: state.reason, ...(state.message === undefined ? {} : { message: state.message }) } };
    case 'running':
      return { running: { startedAt: timeText(state.startedAt) } };
    case 'terminated':
      return {
        terminated: {
          exitCode: state.exitCode,
          ...(state.signal === undefined ? {} : { signal: state.signal }),
          reason: state.reason,
          ...(state.message === undefined ? {} : { message: state.message }),
          startedAt: timeText(state.startedAt),
          finishedAt: timeText(state.finishedAt),
          ...(state.containerId === '' ? {} : { containerID: state.containerId }),
        },
      };
  }
}
