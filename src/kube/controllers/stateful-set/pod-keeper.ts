import type { ControllerContext, EventRecorder, ResourceClient } from '../../kit/index.js';
import {
  isAlreadyExists,
  isConflict,
  isNamespaceTerminating,
  isNotFound,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
} from '../../kit/index.js';
import type { KubeObject } from '../../machinery/object.js';
import { isTerminating } from '../pods.js';
import { claimOwners, claimsOf, hasIdentity, ordinalOf, withIdentity } from './identity.js';

/** Makes, mends and deletes numbered pods and their claims, and tells of it in Events. */
export class PodKeeper {
  readonly #pods: ResourceClient;
  readonly #claims: ResourceClient;
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;

  constructor(context: ControllerContext, recorder: EventRecorder) {
    this.#context = context;
    this.#recorder = recorder;
    this.#pods = context.client.resource(PODS);
    this.#claims = context.client.resource(PERSISTENT_VOLUME_CLAIMS);
  }

  /** The claims first: a pod must not start before what it holds is asked for. */
  async create(set: KubeObject, pod: KubeObject): Promise<void> {
    const { namespace = '', name = '' } = pod.metadata;
    try {
      await this.#createClaims(set, pod);
      await this.#pods.create(namespace, pod);
    } catch (err) {
      // It has been made already and our informer does not know yet, or nobody wants it any more.
      if (isAlreadyExists(err) || isNamespaceTerminating(err)) return;
      this.#failed(set, 'FailedCreate', `create Pod ${name} in StatefulSet ${set.metadata.name} failed error`, err);
      throw err;
    }
    this.#told(set, 'SuccessfulCreate', `create Pod ${name} in StatefulSet ${set.metadata.name} successful`);
  }

  async delete(set: KubeObject, pod: KubeObject): Promise<void> {
    const { namespace = '', name = '', uid } = pod.metadata;
    try {
      await this.#pods.delete(namespace, name, uid === undefined ? {} : { preconditions: { uid } });
    } catch (err) {
      // Of this uid there is none any more, whether or not there is another of its name.
      if (isNotFound(err) || isConflict(err)) return;
      this.#failed(set, 'FailedDelete', `delete Pod ${name} in StatefulSet ${set.metadata.name} failed error`, err);
      throw err;
    }
    this.#told(set, 'SuccessfulDelete', `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`);
  }

  /** Labels and claims that somebody took away come back, and claims belong to whom the policy says. */
  async mend(set: KubeObject, pod: KubeObject, scaledDown: boolean): Promise<void> {
    await this.#ownClaims(set, pod, scaledDown);
    if (scaledDown) return;
    const ordinal = ordinalOf(set, pod);
    if (!this.#hasClaims(set, ordinal)) await this.#createClaims(set, pod);
    if (hasIdentity(pod, ordinal)) return;
    await this.#pods.update(pod.metadata.namespace ?? '', withIdentity(set, pod, ordinal));
  }

  event(set: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#recorder.event(set, type, reason, message);
  }

  #claim(claim: KubeObject): KubeObject | undefined {
    const { namespace = '', name = '' } = claim.metadata;
    return this.#context.informers.of(PERSISTENT_VOLUME_CLAIMS).get(namespace, name);
  }

  #hasClaims(set: KubeObject, ordinal: number): boolean {
    return claimsOf(set, ordinal).every((claim) => this.#claim(claim) !== undefined);
  }

  async #createClaims(set: KubeObject, pod: KubeObject): Promise<void> {
    for (const claim of claimsOf(set, ordinalOf(set, pod))) {
      const { namespace = '', name } = claim.metadata;
      const known = this.#claim(claim);
      // What the pod would hold is on its way out: the next one of this name is waited for.
      if (known !== undefined && isTerminating(known)) throw new Error(`pvc ${name} is being deleted`);
      if (known !== undefined) continue;
      const what = `create Claim ${name} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
      const owners = claimOwners(set, claim, undefined, false);
      if (owners !== undefined) claim.metadata.ownerReferences = owners;
      try {
        await this.#claims.create(namespace, claim);
      } catch (err) {
        if (isAlreadyExists(err) || isNamespaceTerminating(err)) continue;
        this.#failed(set, 'FailedCreate', `${what} failed error`, err);
        throw err;
      }
      this.#told(set, 'SuccessfulCreate', `${what} success`);
    }
  }

  async #ownClaims(set: KubeObject, pod: KubeObject, scaledDown: boolean): Promise<void> {
    for (const draft of claimsOf(set, ordinalOf(set, pod))) {
      const claim = this.#claim(draft);
      if (claim === undefined) continue;
      const ownerReferences = claimOwners(set, claim, pod, scaledDown);
      if (ownerReferences === undefined) continue;
      await this.#claims.update(claim.metadata.namespace ?? '', {
        ...claim,
        metadata: { ...claim.metadata, ownerReferences },
      });
    }
  }

  #told(set: KubeObject, reason: string, message: string): void {
    this.#recorder.event(set, 'Normal', reason, message);
  }

  #failed(set: KubeObject, reason: string, what: string, err: unknown): void {
    this.#recorder.event(set, 'Warning', reason, `${what}: ${(err as Error).message}`);
  }
}
