/** What a Job's rules say of a pod that failed. Source: kubernetes Jobs, pod failure policy. */
import type { KubeObject, Loose } from '../../machinery/object.js';

export interface Verdict {
  readonly action: 'Count' | 'Ignore' | 'FailIndex' | 'FailJob';
  /** Of FailJob. */
  readonly message?: string;
}

/** The first rule that matches; without one the failure counts. */
export function judge(job: KubeObject, pod: KubeObject): Verdict {
  const rules: Loose[] = job.spec.podFailurePolicy?.rules ?? [];
  for (const [i, rule] of rules.entries()) {
    const what = rule.onExitCodes ? matchesExit(pod, rule.onExitCodes) : matchesCondition(pod, rule.onPodConditions);
    if (what === undefined) continue;
    const message = `${what} matching ${rule.action} rule at index ${i}`;
    return { action: rule.action, message };
  }
  return { action: 'Count' };
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function matchesExit(pod: KubeObject, { containerName, operator, values }: Loose): string | undefined {
  if (pod.status?.phase !== 'Failed') return undefined;
  const statuses: Loose[] = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  for (const { name, state } of statuses) {
    if (containerName && containerName !== name) continue;
    const code = state?.terminated?.exitCode;
    // A container that ended well is nobody's reason to fail.
    if (code === undefined || code === 0) continue;
    if (values.includes(code) === (operator === 'In')) {
      return `Container ${name} for pod ${nameOf(pod)} failed with exit code ${code}`;
    }
  }
  return undefined;
}

function matchesCondition(pod: KubeObject, patterns: Loose[] = []): string | undefined {
  for (const { type, status = 'True' } of patterns) {
    const found = (pod.status?.conditions ?? []).find((c: Loose) => c.type === type && c.status === status);
    if (found !== undefined) return `Pod ${nameOf(pod)} has condition ${type}`;
  }
  return undefined;
}
