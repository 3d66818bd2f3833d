import type { ControllerContext, EventRecorder } from '../../kit/index.js';
import { isNotFound, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from '../../kit/index.js';
import type { KubeObject } from '../../machinery/object.js';
import { writeStatus } from '../write-status.js';
import { BOUND_BY, isOurs, PROVISIONED_BY } from './provision.js';

/** The phase of a volume, and what becomes of it when its claim is gone. */
export class VolumeKeeper {
  readonly #context: ControllerContext;
  readonly #events: EventRecorder;
  readonly #lookAt: (claim: string) => void;

  /** @param lookAt a claim that is to be bound, `namespace/name` */
  constructor(context: ControllerContext, events: EventRecorder, lookAt: (claim: string) => void) {
    this.#context = context;
    this.#events = events;
    this.#lookAt = lookAt;
  }

  async sync(name: string): Promise<void> {
    const volume = this.#context.informers.of(PERSISTENT_VOLUMES).get('', name);
    if (volume === undefined || volume.metadata.deletionTimestamp !== undefined) return;
    const ref = volume.spec.claimRef;
    if (!ref) return this.#setPhase(volume, 'Available');
    if (!ref.uid) {
      // Bound by hand to a claim that has not found it yet.
      this.#lookAt(`${ref.namespace}/${ref.name}`);
      return this.#setPhase(volume, 'Available');
    }
    const claim = await this.#claimOf(ref);
    if (claim === undefined) return this.#release(volume);
    const bound: string = claim.spec.volumeName ?? '';
    if (bound === name) return this.#setPhase(volume, 'Bound');
    // On the way: its volume is told first, itself after that.
    if (bound === '') return this.#lookAt(`${ref.namespace}/${ref.name}`);
    // It has got another one.
    if (volume.metadata.annotations?.[PROVISIONED_BY] !== undefined) return this.#release(volume);
    return this.#free(volume);
  }

  /** Asked live before it counts as gone: its volume may be deleted for that. */
  async #claimOf(ref: { namespace: string; name: string; uid: string }): Promise<KubeObject | undefined> {
    const seen = this.#context.informers.of(PERSISTENT_VOLUME_CLAIMS).get(ref.namespace, ref.name);
    if (seen?.metadata.uid === ref.uid) return seen;
    try {
      const live = await this.#context.client.resource(PERSISTENT_VOLUME_CLAIMS).get(ref.namespace, ref.name);
      return live.metadata.uid === ref.uid ? live : undefined;
    } catch (err) {
      if (isNotFound(err)) return undefined;
      throw err;
    }
  }

  async #release(volume: KubeObject): Promise<void> {
    const { name = '', uid = '', annotations = {} } = volume.metadata;
    if (volume.status?.phase === 'Failed') return;
    await this.#setPhase(volume, 'Released');
    switch (volume.spec.persistentVolumeReclaimPolicy) {
      case 'Delete': {
        const provisioner = annotations[PROVISIONED_BY];
        // Another's volumes are that one's to delete.
        if (provisioner !== undefined && !isOurs(provisioner)) return;
        if (provisioner === undefined) {
          const what = 'no deleter: the volume was not made by a provisioner';
          this.#events.event(volume, 'Warning', 'VolumeFailedDelete', what);
          return this.#setPhase(volume, 'Failed', what);
        }
        try {
          await this.#context.client.resource(PERSISTENT_VOLUMES).delete('', name, { preconditions: { uid } });
        } catch (err) {
          if (!isNotFound(err)) throw err;
        }
        return;
      }
      case 'Recycle':
        this.#events.event(volume, 'Normal', 'VolumeRecycled', 'Volume recycled');
        return this.#free(volume);
      default:
    }
  }

  /** For anybody again, or for the claim that it was kept for by hand. */
  async #free(volume: KubeObject): Promise<void> {
    const changed = structuredClone(volume);
    if (changed.metadata.annotations?.[BOUND_BY] !== undefined) {
      delete changed.metadata.annotations[BOUND_BY];
      delete changed.spec.claimRef;
    } else {
      delete changed.spec.claimRef.uid;
      delete changed.spec.claimRef.resourceVersion;
    }
    const freed = await this.#context.client.resource(PERSISTENT_VOLUMES).update('', changed);
    await this.#setPhase(freed, 'Available');
  }

  async #setPhase(volume: KubeObject, phase: string, message?: string): Promise<void> {
    const { message: _, ...rest } = volume.status ?? {};
    const status = { ...rest, phase, ...(message === undefined ? {} : { message }) };
    await writeStatus(this.#context.client.resource(PERSISTENT_VOLUMES), volume, status);
  }
}
