/** What may change in a pod that exists: very little, since it runs somewhere already. */
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid } from '../machinery/field-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { Loose } from './loose.js';
import { copy, listOf, same } from './loose.js';

const ONLY =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

export function validatePodUpdate(pod: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const now = pod.spec ?? {};
  const then = old.spec ?? {};
  for (const member of ['containers', 'initContainers']) {
    if (listOf(now[member]).length === listOf(then[member]).length) continue;
    const why = 'pod updates may not add or remove containers';
    return [forbiddenField(`spec.${member}`, why)];
  }
  errors.push(...validateDeadline(now.activeDeadlineSeconds, then.activeDeadlineSeconds));
  errors.push(...validateGates(now.schedulingGates, then.schedulingGates));
  if (!listOf(then.tolerations).every((t) => listOf(now.tolerations).some((n) => sameToleration(n, t)))) {
    errors.push(
      forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'),
    );
  }
  if (errors.length > 0) return errors;
  return same(withoutMutable(now, then), then) ? [] : [forbiddenField('spec', ONLY)];
}

/** The new spec with everything that may change put back to what it was. */
function withoutMutable(now: Loose, then: Loose): Loose {
  const spec = copy(now);
  for (const member of ['containers', 'initContainers']) {
    listOf(spec[member]).forEach((container, i) => {
      container.image = then[member][i].image;
    });
  }
  for (const member of ['activeDeadlineSeconds', 'tolerations', 'schedulingGates']) putBack(spec, then, member);
  if (then.terminationGracePeriodSeconds < 0 && spec.terminationGracePeriodSeconds === 1) {
    spec.terminationGracePeriodSeconds = then.terminationGracePeriodSeconds;
  }
  // Whoever holds the gates of a pod may still narrow down where it can go.
  if (listOf(then.schedulingGates).length > 0) {
    putBack(spec, then, 'nodeSelector');
    putBack(spec, then, 'affinity');
  }
  return spec;
}

function putBack(spec: Loose, then: Loose, member: string): void {
  if (then[member] === undefined) delete spec[member];
  else spec[member] = then[member];
}

function sameToleration(a: Loose, b: Loose): boolean {
  const { tolerationSeconds: _, ...one } = a;
  const { tolerationSeconds: __, ...other } = b;
  return same(one, other);
}

function validateDeadline(now: Loose, then: Loose): FieldError[] {
  const field = 'spec.activeDeadlineSeconds';
  if (typeof now !== 'number') {
    return typeof then === 'number'
      ? [invalid(field, null, 'must not update from a positive integer to nil value')]
      : [];
  }
  if (typeof then !== 'number' || now <= then) return [];
  return [invalid(field, now, 'must be less than or equal to previous value')];
}

function validateGates(now: Loose, then: Loose): FieldError[] {
  const known = new Set(listOf(then).map((gate) => gate.name));
  const added = listOf(now).filter((gate) => !known.has(gate.name));
  if (added.length === 0) return [];
  return [forbiddenField('spec.schedulingGates', 'only deletion is allowed, but found new scheduling gate')];
}

/** Of pods/ephemeralcontainers: those that are there stay as they are, and nothing else of the pod changes. */
export function validateEphemeralContainersUpdate(pod: KubeObject, old: KubeObject): FieldError[] {
  const field = 'spec.ephemeralContainers';
  const now = new Map(listOf(pod.spec?.ephemeralContainers).map((c) => [c.name, c]));
  return listOf(old.spec?.ephemeralContainers).flatMap((container) => {
    const next = now.get(container.name);
    if (next === undefined) {
      return [forbiddenField(field, `existing ephemeral containers "${container.name}" may not be removed`)];
    }
    if (same(next, container)) return [];
    return [forbiddenField(field, `existing ephemeral containers "${container.name}" may not be changed`)];
  });
}
