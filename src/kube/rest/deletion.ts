/** What a delete makes of an object: gone at once, or marked and gone later. Source: kubernetes deletion, finalizers. */
import type { Kind, Propagation } from '../kinds/kind.js';
import type { FieldError } from '../machinery/field-error.js';
import { invalid, invalidObject, notSupported } from '../machinery/field-error.js';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../machinery/metadata-validation.js';
import type { KubeObject } from '../machinery/object.js';
import { timeText } from './metadata-rules.js';
import type { DeleteOptions } from './resource.js';

/** `change` has been made to the object. */
export type DeletionStep = 'remove' | 'change' | 'pending';

const POLICIES: readonly Propagation[] = ['Background', 'Foreground', 'Orphan'];

/** @throws ApiError 422 */
export function checkDeleteOptions(options: DeleteOptions): void {
  const { propagationPolicy, orphanDependents } = options;
  const errors: FieldError[] = [];
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(invalid('propagationPolicy', propagationPolicy, why));
  }
  if (propagationPolicy !== undefined && !POLICIES.includes(propagationPolicy)) {
    errors.push(notSupported('propagationPolicy', propagationPolicy, [...POLICIES, 'nil']));
  }
  if (errors.length > 0) throw invalidObject('meta.k8s.io', 'DeleteOptions', '', errors);
}

export function isNamespace(kind: Kind): boolean {
  return kind.group === '' && kind.plural === 'namespaces';
}

/** Somebody must still do something before the object may go. */
function hasFinalizers(kind: Kind, object: KubeObject): boolean {
  if ((object.metadata.finalizers?.length ?? 0) > 0) return true;
  return isNamespace(kind) && (object.spec?.finalizers?.length ?? 0) > 0;
}

/** An update took the last thing away that a deletion waited for. */
export function isDeletionComplete(kind: Kind, object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && !hasFinalizers(kind, object);
}

/**
 * Marks an object for deletion, as far as it must be.
 * @param object the caller's own; changed
 * @param now ms since the epoch
 */
export function stepDeletion(kind: Kind, object: KubeObject, options: DeleteOptions, now: number): DeletionStep {
  const { metadata } = object;
  if (metadata.deletionTimestamp !== undefined) return stepAgain(kind, object, options, now);
  setFinalizers(kind, object, options);
  const grace = kind.graceSeconds?.(object, options.gracePeriodSeconds) ?? 0;
  if (grace <= 0 && !hasFinalizers(kind, object)) return 'remove';
  metadata.deletionTimestamp = timeText(now + Math.max(grace, 0) * 1000);
  metadata.deletionGracePeriodSeconds = Math.max(grace, 0);
  if (metadata.generation !== undefined && metadata.generation > 0) metadata.generation++;
  if (isNamespace(kind)) object.status = { ...object.status, phase: 'Terminating' };
  return 'change';
}

/** Of an object that is being deleted only the grace may be made shorter. */
function stepAgain(kind: Kind, object: KubeObject, options: DeleteOptions, now: number): DeletionStep {
  const { metadata } = object;
  const granted = metadata.deletionGracePeriodSeconds ?? 0;
  const asked = options.gracePeriodSeconds;
  if (kind.graceSeconds === undefined || granted === 0 || asked === undefined || asked >= granted) {
    return isDeletionComplete(kind, object) ? 'remove' : 'pending';
  }
  const started = Date.parse(metadata.deletionTimestamp!) - granted * 1000;
  metadata.deletionGracePeriodSeconds = Math.max(asked, 0);
  metadata.deletionTimestamp = timeText(Number.isNaN(started) ? now : started + Math.max(asked, 0) * 1000);
  return isDeletionComplete(kind, object) ? 'remove' : 'change';
}

function policyOf(kind: Kind, object: KubeObject, options: DeleteOptions): Propagation {
  if (options.propagationPolicy !== undefined) return options.propagationPolicy;
  if (options.orphanDependents !== undefined) return options.orphanDependents ? 'Orphan' : 'Background';
  // An object may carry its policy already.
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(ORPHAN_FINALIZER)) return 'Orphan';
  if (finalizers.includes(FOREGROUND_FINALIZER)) return 'Foreground';
  return kind.defaultPropagation ?? 'Background';
}

function setFinalizers(kind: Kind, object: KubeObject, options: DeleteOptions): void {
  if (kind.garbageCollected === false) return;
  const policy = policyOf(kind, object, options);
  const before = object.metadata.finalizers ?? [];
  const finalizers = before.filter((f) => f !== ORPHAN_FINALIZER && f !== FOREGROUND_FINALIZER);
  if (policy === 'Orphan') finalizers.push(ORPHAN_FINALIZER);
  if (policy === 'Foreground') finalizers.push(FOREGROUND_FINALIZER);
  if (finalizers.length > 0) object.metadata.finalizers = finalizers;
  else delete object.metadata.finalizers;
}
