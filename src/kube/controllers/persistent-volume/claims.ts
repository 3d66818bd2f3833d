import type { ControllerContext, EventRecorder } from '../../kit/index.js';
import {
  isAlreadyExists,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  STORAGE_CLASSES,
} from '../../kit/index.js';
import type { KubeObject } from '../../machinery/object.js';
import { compareQuantities } from '../../machinery/quantity.js';
import { writeStatus } from '../write-status.js';
import { bestMatch, capacityOf, classOf, isFor, misfit, requestOf } from './match.js';
import { BOUND_BY, claimReference, isOurs, volumeFor } from './provision.js';

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
const PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const NONE = 'kubernetes.io/no-provisioner';

/** Brings a claim and a volume together; every step may be the last before a crash, and the next look goes on from it. */
export class ClaimBinder {
  readonly #context: ControllerContext;
  readonly #events: EventRecorder;

  constructor(context: ControllerContext, events: EventRecorder) {
    this.#context = context;
    this.#events = events;
  }

  async sync(namespace: string, name: string): Promise<void> {
    const claim = this.#context.informers.of(PERSISTENT_VOLUME_CLAIMS).get(namespace, name);
    if (claim === undefined) return;
    if (claim.metadata.annotations?.[BIND_COMPLETED] !== undefined) return this.#syncBound(claim);
    if (claim.metadata.deletionTimestamp !== undefined) return;
    const wanted: string | undefined = claim.spec.volumeName || undefined;
    if (wanted === undefined) return this.#syncUnbound(claim);
    const volume = this.#volume(wanted);
    if (volume === undefined) return this.#pend(claim);
    if (volume.spec.claimRef && !isFor(volume, claim)) {
      this.#tell(claim, 'FailedBinding', `volume "${wanted}" already bound to a different claim.`);
      return this.#pend(claim);
    }
    const wrong = misfit(volume, claim);
    if (wrong !== undefined) {
      this.#tell(claim, 'VolumeMismatch', `Cannot bind to requested volume "${wanted}": ${wrong}`);
      return this.#pend(claim);
    }
    return this.#bind(claim, volume);
  }

  #volume(name: string): KubeObject | undefined {
    return this.#context.informers.of(PERSISTENT_VOLUMES).get('', name);
  }

  #tell(claim: KubeObject, reason: string, message: string, type: 'Normal' | 'Warning' = 'Warning'): void {
    this.#events.event(claim, type, reason, message);
  }

  async #pend(claim: KubeObject): Promise<void> {
    await this.#setStatus(claim, { ...claim.status, phase: 'Pending' });
  }

  #setStatus(claim: KubeObject, status: unknown): Promise<KubeObject> {
    return writeStatus(this.#context.client.resource(PERSISTENT_VOLUME_CLAIMS), claim, status);
  }

  async #syncUnbound(claim: KubeObject): Promise<void> {
    const { informers } = this.#context;
    const className = classOf(claim);
    const storageClass = className === '' ? undefined : informers.of(STORAGE_CLASSES).get('', className);
    const nodeName = claim.metadata.annotations?.[SELECTED_NODE];
    const volumes = informers.of(PERSISTENT_VOLUMES).list();
    const isLater = storageClass?.volumeBindingMode === 'WaitForFirstConsumer' && nodeName === undefined;
    // Nobody may choose before it is known where it will be used, but what was bound by hand is chosen.
    const candidates = isLater ? volumes.filter((volume) => isFor(volume, claim)) : volumes;
    const node = nodeName === undefined ? undefined : informers.of(NODES).get('', nodeName);
    const match = bestMatch(claim, candidates, node);
    if (match !== undefined) return this.#bind(claim, match);
    if (isLater) {
      const what = 'waiting for first consumer to be created before binding';
      this.#tell(claim, 'WaitForFirstConsumer', what, 'Normal');
    } else if (className === '') {
      const what = 'no persistent volumes available for this claim and no storage class is set';
      this.#tell(claim, 'FailedBinding', what, 'Normal');
    } else if (storageClass === undefined) {
      this.#tell(claim, 'ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`);
    } else return this.#provision(claim, storageClass);
    return this.#pend(claim);
  }

  async #provision(claim: KubeObject, storageClass: KubeObject): Promise<void> {
    const { client } = this.#context;
    const { provisioner } = storageClass;
    if (provisioner === NONE) return this.#pend(claim);
    const { namespace = '', name = '' } = claim.metadata;
    if (claim.metadata.annotations?.[PROVISIONER] !== provisioner) {
      // The change comes back as another look.
      const annotations = {
        [PROVISIONER]: provisioner,
        'volume.beta.kubernetes.io/storage-provisioner': provisioner,
      };
      await client.resource(PERSISTENT_VOLUME_CLAIMS).patch(namespace, name, 'merge', { metadata: { annotations } });
      return;
    }
    if (!isOurs(provisioner)) {
      const what =
        `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the ` +
        'system administrator. If volume creation is delayed, please verify that the provisioner is running and ' +
        'correctly registered.';
      this.#tell(claim, 'ExternalProvisioning', what, 'Normal');
      return this.#pend(claim);
    }
    const wanted = volumeFor(claim, storageClass);
    try {
      const made = await client.resource(PERSISTENT_VOLUMES).create('', wanted);
      const what = `Successfully provisioned volume ${made.metadata.name}`;
      this.#tell(claim, 'ProvisioningSucceeded', what, 'Normal');
      await this.#bind(claim, made);
    } catch (err) {
      // It is made; its watch will tell.
      if (!isAlreadyExists(err)) throw err;
    }
  }

  /** Volume, its phase, claim, its status: in this order. */
  async #bind(claim: KubeObject, found: KubeObject): Promise<void> {
    const { client } = this.#context;
    const volumes = client.resource(PERSISTENT_VOLUMES);
    const claims = client.resource(PERSISTENT_VOLUME_CLAIMS);
    const { namespace = '', uid } = claim.metadata;
    let volume = found;
    if (volume.spec.claimRef?.uid !== uid) {
      const changed = structuredClone(volume);
      // One that named the claim by hand stays bound by hand: it is not given free again.
      if (!volume.spec.claimRef) changed.metadata.annotations = { ...changed.metadata.annotations, [BOUND_BY]: 'yes' };
      changed.spec.claimRef = claimReference(claim);
      volume = await volumes.update('', changed);
    }
    await writeStatus(volumes, volume, { ...volume.status, phase: 'Bound' });
    let bound = claim;
    const name = volume.metadata.name ?? '';
    if (claim.spec.volumeName !== name || claim.metadata.annotations?.[BIND_COMPLETED] === undefined) {
      const changed = structuredClone(claim);
      const annotations: Record<string, string> = { ...changed.metadata.annotations, [BIND_COMPLETED]: 'yes' };
      if (claim.spec.volumeName !== name) annotations[BOUND_BY] = 'yes';
      changed.metadata.annotations = annotations;
      changed.spec.volumeName = name;
      bound = await claims.update(namespace, changed);
    }
    const { accessModes, capacity } = volume.spec;
    await this.#setStatus(bound, { ...bound.status, phase: 'Bound', accessModes, capacity });
  }

  async #syncBound(claim: KubeObject): Promise<void> {
    const name: string = claim.spec.volumeName ?? '';
    if (name === '') {
      return this.#lose(claim, 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
    }
    const volume = this.#volume(name);
    if (volume === undefined) {
      return this.#lose(claim, 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
    }
    if (volume.spec.claimRef && !isFor(volume, claim)) {
      const what = 'Two claims are bound to the same volume, this one is bound incorrectly';
      return this.#lose(claim, what, 'ClaimMisbound');
    }
    await this.#bind(claim, await this.#grown(claim, volume));
  }

  /** A claim that asks for more gets it at once: a directory has no size. */
  async #grown(claim: KubeObject, volume: KubeObject): Promise<KubeObject> {
    if (compareQuantities(requestOf(claim), capacityOf(volume)) <= 0) return volume;
    const storageClass = this.#context.informers.of(STORAGE_CLASSES).get('', classOf(claim));
    if (storageClass?.allowVolumeExpansion !== true || !isOurs(storageClass.provisioner)) return volume;
    const capacity = { storage: claim.spec.resources.requests.storage };
    const { name = '' } = volume.metadata;
    return this.#context.client.resource(PERSISTENT_VOLUMES).patch('', name, 'merge', { spec: { capacity } });
  }

  async #lose(claim: KubeObject, message: string, reason = 'ClaimLost'): Promise<void> {
    if (claim.status?.phase !== 'Lost') this.#tell(claim, reason, message);
    const { capacity: _, accessModes: __, ...rest } = claim.status ?? {};
    await this.#setStatus(claim, { ...rest, phase: 'Lost' });
  }
}
