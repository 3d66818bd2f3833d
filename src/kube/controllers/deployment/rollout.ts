import type { EventRecorder, KubeClock, ResourceClient } from '../../kit/index.js';
import { ApiStatusError, controllerOf, isAlreadyExists, isNamespaceTerminating, isNotFound } from '../../kit/index.js';
import type { KubeObject } from '../../machinery/object.js';
import { sameTemplate } from '../pod-template-hash.js';
import { isFinished } from '../pods.js';
import { sameMeaning, sameStatus } from '../same.js';
import type { Condition, DeploymentStatus } from './conditions.js';
import { conditionOf, countedStatus, hasDeadline, isComplete, rolloutStatus, setCondition } from './conditions.js';
import { availableOf, DESIRED_REPLICAS, isRolling, numberIn, REVISION, replicasOf } from './numbers.js';
import { shares } from './proportions.js';
import { newSize, oldSizes } from './rolling.js';
import {
  findNewSet,
  highestRevision,
  isScaled,
  newSetAnnotations,
  newSetOf,
  sizeAnnotations,
  surplus,
} from './sets.js';

export interface RolloutParts {
  readonly deployments: ResourceClient;
  readonly sets: ResourceClient;
  readonly clock: KubeClock;
  readonly recorder: EventRecorder;
  /** Pods of a set, whatever their state. */
  readonly podsOf: (set: KubeObject) => readonly KubeObject[];
}

/** One look at one Deployment. Holds what it has written, so that each step sees the one before. */
export class Rollout {
  readonly #parts: RolloutParts;
  #deployment: KubeObject;
  /** All of its sets, the new one too. */
  #sets: KubeObject[];

  constructor(parts: RolloutParts, deployment: KubeObject, sets: readonly KubeObject[]) {
    this.#parts = parts;
    this.#deployment = deployment;
    this.#sets = [...sets];
  }

  /** @returns the Deployment as it was written last */
  async run(): Promise<KubeObject> {
    const { spec, metadata } = this.#deployment;
    if (metadata.deletionTimestamp !== undefined) await this.#tellCounts();
    else {
      await this.#notePause();
      if (spec?.paused === true || isScaled(this.#deployment, this.#sets)) await this.#resize();
      else if (isRolling(this.#deployment)) await this.#roll();
      else await this.#recreate();
    }
    return this.#deployment;
  }

  get #newSet(): KubeObject | undefined {
    return findNewSet(this.#deployment, this.#sets);
  }

  get #oldSets(): KubeObject[] {
    const newSet = this.#newSet;
    return this.#sets.filter((set) => set !== newSet);
  }

  async #roll(): Promise<void> {
    const newSet = await this.#provideNewSet();
    if (newSet === undefined) return;
    const size = newSize(this.#deployment, this.#sets, replicasOf(newSet));
    // Growing and shrinking are told apart by a look at what came of the former.
    if (!(await this.#scale(newSet, size))) {
      const sizes = oldSizes(this.#deployment, newSet, this.#oldSets);
      for (const [set, wanted] of sizes) await this.#scale(set, wanted);
      if (sizes.size === 0 && isComplete(this.#deployment, this.#deployment.status)) await this.#forget();
    }
    await this.#tellRollout();
  }

  async #recreate(): Promise<void> {
    await this.#noteRevision();
    let scaled = false;
    for (const set of this.#oldSets) scaled = (await this.#scale(set, 0)) || scaled;
    // Pods that are still stopping count: the new ones might need what they hold.
    const stopping = this.#oldSets.some(
      (set) => (set.status?.replicas ?? 0) > 0 || this.#parts.podsOf(set).some((pod) => !isFinished(pod)),
    );
    if (!scaled && !stopping) {
      const newSet = await this.#provideNewSet();
      if (newSet === undefined) return;
      await this.#scale(newSet, replicasOf(this.#deployment));
      if (isComplete(this.#deployment, this.#deployment.status)) await this.#forget();
    }
    await this.#tellRollout();
  }

  /** Scaled, or paused: sizes follow, nothing new begins. */
  async #resize(): Promise<void> {
    await this.#noteRevision();
    const newSet = this.#newSet;
    const oldSets = this.#oldSets;
    const active = this.#sets.filter((set) => replicasOf(set) > 0);
    const replicas = replicasOf(this.#deployment);
    const only = active.length === 1 ? active[0] : active.length === 0 ? (newSet ?? latest(oldSets)) : undefined;
    if (only !== undefined) await this.#scale(only, replicas);
    else if (newSet !== undefined && isSaturated(newSet, replicas)) {
      for (const set of oldSets) await this.#scale(set, 0);
    } else if (isRolling(this.#deployment)) {
      for (const [set, size] of shares(this.#deployment, active)) await this.#scale(set, size);
    }
    if (this.#deployment.spec?.paused === true) await this.#forget();
    await this.#tellCounts();
  }

  /** A pause stops the clock of the deadline, and its end starts it anew. */
  async #notePause(): Promise<void> {
    if (!hasDeadline(this.#deployment)) return;
    const progressing = conditionOf(this.#deployment.status, 'Progressing');
    if (progressing?.reason === 'ProgressDeadlineExceeded') return;
    const noted = progressing?.reason === 'DeploymentPaused';
    const paused = this.#deployment.spec?.paused === true;
    if (paused === noted) return;
    await this.#tellProgress(
      paused
        ? ['Unknown', 'DeploymentPaused', 'Deployment is paused']
        : ['Unknown', 'DeploymentResumed', 'Deployment is resumed'],
    );
  }

  /** The number of the new set, if there is one: it is higher than that of all others. */
  async #noteRevision(): Promise<KubeObject | undefined> {
    const found = this.#newSet;
    if (found === undefined) return undefined;
    const revision = highestRevision(this.#oldSets) + 1;
    const annotations = newSetAnnotations(this.#deployment, found, revision);
    const minReadySeconds = this.#deployment.spec?.minReadySeconds ?? 0;
    let set = found;
    if (
      !sameMeaning(annotations, found.metadata.annotations ?? {}) ||
      minReadySeconds !== (found.spec?.minReadySeconds ?? 0)
    ) {
      const changed = {
        ...found,
        metadata: { ...found.metadata, annotations },
        spec: { ...found.spec, minReadySeconds },
      };
      set = await this.#writeSet(found, changed);
    }
    const known = conditionOf(this.#deployment.status, 'Progressing') !== undefined;
    const news: Told | null =
      known || !hasDeadline(this.#deployment)
        ? null
        : ['True', 'FoundNewReplicaSet', `Found new replica set "${set.metadata.name}"`];
    await this.#tellProgress(news, set.metadata.annotations?.[REVISION]);
    return set;
  }

  /** @returns undefined where none can be made any more */
  async #provideNewSet(): Promise<KubeObject | undefined> {
    const found = await this.#noteRevision();
    if (found !== undefined) return found;
    const { sets: client, recorder } = this.#parts;
    const { namespace = '', uid } = this.#deployment.metadata;
    const collisions: number | undefined = this.#deployment.status?.collisionCount;
    const draft = newSetOf(this.#deployment, collisions);
    draft.spec.replicas = newSize(this.#deployment, this.#sets, 0);
    const revision = highestRevision(this.#sets) + 1;
    draft.metadata.annotations = {
      ...newSetAnnotations(this.#deployment, draft, revision),
      ...sizeAnnotations(this.#deployment),
    };
    let made: KubeObject;
    let mine = false;
    try {
      made = await client.create(namespace, draft);
    } catch (err) {
      if (isNamespaceTerminating(err)) return undefined;
      if (!isAlreadyExists(err)) {
        const message = `Failed to create new replica set "${draft.metadata.name}": ${(err as Error).message}`;
        if (hasDeadline(this.#deployment)) await this.#tellProgress(['False', 'ReplicaSetCreateError', message]);
        recorder.event(this.#deployment, 'Warning', 'ReplicaSetCreateError', message);
        throw err;
      }
      made = await client.get(namespace, draft.metadata.name ?? '');
      mine = controllerOf(made)?.uid === uid && sameTemplate(made.spec?.template, this.#deployment.spec?.template);
      if (!mine) {
        // The name is another's: the next try makes another name.
        const status = { ...this.#deployment.status, collisionCount: (collisions ?? 0) + 1 };
        await this.#tell(status);
        throw new ApiStatusError(409, 'Conflict', (err as Error).message);
      }
    }
    this.#sets.push(made);
    const { name } = made.metadata;
    if (!mine && replicasOf(made) > 0) {
      const message = `Scaled up replica set ${name} from 0 to ${replicasOf(made)}`;
      recorder.event(this.#deployment, 'Normal', 'ScalingReplicaSet', message);
    }
    const told = !mine && hasDeadline(this.#deployment);
    const news: Told | null = told ? ['True', 'NewReplicaSetCreated', `Created new replica set "${name}"`] : null;
    await this.#tellProgress(news, made.metadata.annotations?.[REVISION]);
    return made;
  }

  /** @returns whether its size changed */
  async #scale(set: KubeObject, size: number): Promise<boolean> {
    const before = replicasOf(set);
    const wanted = sizeAnnotations(this.#deployment);
    const annotations = { ...set.metadata.annotations, ...wanted };
    // Sets that have nothing and get nothing are left alone.
    if (size === before && (size === 0 || sameMeaning(annotations, set.metadata.annotations ?? {}))) return false;
    await this.#writeSet(set, {
      ...set,
      metadata: { ...set.metadata, annotations },
      spec: { ...set.spec, replicas: size },
    });
    if (size === before) return false;
    const direction = size > before ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${size}`;
    this.#parts.recorder.event(this.#deployment, 'Normal', 'ScalingReplicaSet', message);
    return true;
  }

  async #writeSet(before: KubeObject, changed: KubeObject): Promise<KubeObject> {
    const written = await this.#parts.sets.update(changed.metadata.namespace ?? '', changed);
    this.#sets = this.#sets.map((set) => (set === before ? written : set));
    return written;
  }

  async #forget(): Promise<void> {
    for (const set of surplus(this.#deployment, this.#oldSets)) {
      const { namespace = '', name = '', uid } = set.metadata;
      try {
        await this.#parts.sets.delete(namespace, name, uid === undefined ? {} : { preconditions: { uid } });
      } catch (err) {
        if (!isNotFound(err)) throw err;
      }
      this.#sets = this.#sets.filter((other) => other !== set);
    }
  }

  /** The condition Progressing in the middle of a round, and the revision, which is an annotation. */
  async #tellProgress(news: Told | null, revision = this.#deployment.metadata.annotations?.[REVISION]): Promise<void> {
    const { metadata, status = {} } = this.#deployment;
    const conditions: Condition[] = status.conditions ?? [];
    const told = news === null ? conditions : setCondition(conditions, 'Progressing', news, this.#parts.clock.now());
    if (sameMeaning(told, conditions) && revision === metadata.annotations?.[REVISION]) return;
    const annotations =
      revision === undefined ? metadata.annotations : { ...metadata.annotations, [REVISION]: revision };
    const object = { ...this.#deployment, metadata: { ...metadata, ...(annotations && { annotations }) } };
    // The path of the status takes annotations, too.
    this.#deployment = await this.#parts.deployments.update(
      metadata.namespace ?? '',
      { ...object, status: { ...status, conditions: told } },
      'status',
    );
  }

  async #tellCounts(): Promise<void> {
    await this.#tell(countedStatus(this.#deployment, this.#newSet, this.#oldSets, this.#parts.clock.now()));
  }

  async #tellRollout(): Promise<void> {
    await this.#tell(rolloutStatus(this.#deployment, this.#newSet, this.#oldSets, this.#parts.clock.now()));
  }

  async #tell(status: DeploymentStatus): Promise<void> {
    const { metadata, status: known } = this.#deployment;
    if (sameStatus(known, status)) return;
    // A conflict is let through: what was decided may not hold for what somebody else wrote.
    const object = { ...this.#deployment, status };
    this.#deployment = await this.#parts.deployments.update(metadata.namespace ?? '', object, 'status');
  }
}

type Told = readonly [Condition['status'], string, string];

function latest(sets: readonly KubeObject[]): KubeObject | undefined {
  return [...sets].sort(
    (a, b) => Date.parse(b.metadata.creationTimestamp ?? '') - Date.parse(a.metadata.creationTimestamp ?? ''),
  )[0];
}

/** It alone has all that is asked for. */
function isSaturated(set: KubeObject, replicas: number): boolean {
  return numberIn(set, DESIRED_REPLICAS) === replicas && replicasOf(set) === replicas && availableOf(set) === replicas;
}
