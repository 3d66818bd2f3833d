/** What `kubectl get pods` says of a pod: its Ready, Status and Restarts cells. */
import { humanDuration } from '../machinery/age.js';
import type { KubeObject } from '../machinery/object.js';
import type { Loose } from './loose.js';
import { listOf } from './loose.js';

export interface PodSummary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

/** Adds up restarts and remembers the newest end of a run before the present one. */
class Restarts {
  #count = 0;
  #newest = Number.NaN;

  add(status: Loose): void {
    this.#count += status.restartCount ?? 0;
    const ended = Date.parse(status.lastState?.terminated?.finishedAt ?? '');
    if (!Number.isNaN(ended) && !(this.#newest >= ended)) this.#newest = ended;
  }

  text(now: number): string {
    if (this.#count === 0 || Number.isNaN(this.#newest)) return String(this.#count);
    return `${this.#count} (${humanDuration(now - this.#newest)} ago)`;
  }
}

/** @param now ms since the epoch */
export function summarizePod(pod: KubeObject, now: number): PodSummary {
  const spec = pod.spec ?? {};
  const status = pod.status ?? {};
  const inits = listOf(spec.initContainers);
  const sidecars = new Set(inits.filter((c) => c.restartPolicy === 'Always').map((c) => c.name));
  const total = listOf(spec.containers).length + sidecars.size;

  let ready = 0;
  const initRestarts = new Restarts();
  const own = new Restarts();
  let text: string = status.reason || status.phase || '';
  if (condition(status, 'PodScheduled')?.reason === 'SchedulingGated') text = 'SchedulingGated';

  let initializing = false;
  listOf(status.initContainerStatuses).forEach((container, i) => {
    initRestarts.add(container);
    const sidecar = sidecars.has(container.name);
    if (initializing) return;
    if (container.state?.terminated?.exitCode === 0) return;
    if (sidecar && container.started === true) {
      if (container.ready) ready++;
      return;
    }
    text = initText(container.state, i, inits.length);
    initializing = true;
  });

  if (!initializing || condition(status, 'Initialized')?.status === 'True') {
    let running = false;
    for (const container of [...listOf(status.containerStatuses)].reverse()) {
      own.add(container);
      const { waiting, terminated } = container.state ?? {};
      if (waiting?.reason) text = waiting.reason;
      else if (terminated) text = terminatedText(terminated);
      else if (container.ready && container.state?.running) {
        running = true;
        ready++;
      }
    }
    if (text === 'Completed' && running) {
      text = condition(status, 'Ready')?.status === 'True' ? 'Running' : 'NotReady';
    }
    for (const container of listOf(status.initContainerStatuses)) if (sidecars.has(container.name)) own.add(container);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') text = 'Unknown';
    else if (!isTerminal(pod)) text = 'Terminating';
  }
  const restarts = initializing ? initRestarts : own;
  return { ready: `${ready}/${total}`, status: text, restarts: restarts.text(now) };
}

/** Its containers have ended for good. */
export function isTerminal(pod: KubeObject): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function condition(status: Loose, type: string): Loose {
  return listOf(status.conditions).find((c) => c.type === type);
}

function initText(state: Loose, index: number, total: number): string {
  if (state?.terminated) return `Init:${terminatedText(state.terminated)}`;
  const reason = state?.waiting?.reason;
  return reason && reason !== 'PodInitializing' ? `Init:${reason}` : `Init:${index}/${total}`;
}

function terminatedText(terminated: Loose): string {
  if (terminated.reason) return terminated.reason;
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`;
}
