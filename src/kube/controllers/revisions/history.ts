/** ControllerRevisions: former templates of a set, kept by number to go back to. Source: kubernetes controller history. */
import type { ControllerContext, Informer, ResourceClient } from '../../kit/index.js';
import {
  CONTROLLER_REVISIONS,
  claim,
  controllerOf,
  controllerRef,
  isAlreadyExists,
  isNotFound,
} from '../../kit/index.js';
import type { KubeObject, Loose } from '../../machinery/object.js';
import { candidates } from '../children.js';
import { contentHash } from '../pod-template-hash.js';
import { byAge } from '../pods.js';
import { sameMeaning } from '../same.js';

/** On a pod: which revision it was made of. */
export const REVISION_HASH = 'controller-revision-hash';

export interface HistoryOptions {
  readonly context: ControllerContext;
  readonly revisions: Informer;
  readonly owners: ResourceClient;
  readonly matches: (owner: KubeObject, child: KubeObject) => boolean;
  /** Where the revision says its hash: `controller.kubernetes.io/hash`, or that of daemons. */
  readonly hashLabel: string;
}

/** The present revision, those before it, and how many names turned out to be taken. */
export interface Revisions {
  readonly update: KubeObject;
  /** Ascending, `update` last. */
  readonly all: readonly KubeObject[];
  readonly collisions: number | undefined;
}

export class RevisionHistory {
  readonly #options: HistoryOptions;
  readonly #client: ResourceClient;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#client = options.context.client.resource(CONTROLLER_REVISIONS);
  }

  /** Finds or makes the revision of the present template; one of the past that says the same is raised to the newest. */
  async sync(owner: KubeObject): Promise<Revisions> {
    const { namespace = '', name = '' } = owner.metadata;
    const known = await claim({
      owner,
      children: candidates(this.#options.revisions, owner),
      matches: (revision) => this.#options.matches(owner, revision),
      childClient: this.#client,
      readOwner: () => this.#options.owners.get(namespace, name),
    });
    known.sort(byNumber);
    let collisions: number | undefined = owner.status?.collisionCount;
    const last = known.at(-1);
    const data = templateData(owner);
    if (owner.metadata.deletionTimestamp !== undefined && last !== undefined) {
      return { update: last, all: known, collisions };
    }
    const equal = known.filter((revision) => sameMeaning(revision.data, data)).at(-1);
    if (equal !== undefined && equal === last) return { update: equal, all: known, collisions };
    const number = (last?.revision ?? 0) + 1;
    if (equal !== undefined) {
      const update = await this.#client.update(namespace, { ...equal, revision: number });
      return { update, all: [...known.filter((revision) => revision !== equal), update], collisions };
    }
    for (;;) {
      const draft = this.#draft(owner, data, number, collisions);
      try {
        const update = await this.#client.create(namespace, draft);
        return { update, all: [...known, update], collisions };
      } catch (err) {
        if (!isAlreadyExists(err)) throw err;
        const other = await this.#client.get(namespace, draft.metadata.name ?? '');
        const mine = controllerOf(other)?.uid === owner.metadata.uid && sameMeaning(other.data, data);
        if (mine) return { update: other, all: [...known, other], collisions };
        collisions = (collisions ?? 0) + 1;
      }
    }
  }

  #draft(owner: KubeObject, data: Loose, revision: number, collisions: number | undefined): KubeObject {
    const hash = contentHash(data, collisions);
    return {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${owner.metadata.name}-${hash}`,
        namespace: owner.metadata.namespace ?? '',
        labels: { ...owner.spec.template.metadata?.labels, [this.#options.hashLabel]: hash },
        ...(owner.metadata.annotations === undefined ? {} : { annotations: notes(owner.metadata.annotations) }),
        ownerReferences: [controllerRef(owner)],
      },
      data,
      revision,
    };
  }

  /** Deletes the oldest that nobody uses, beyond the owner's limit. @param used names (or hashes) of those that live */
  async truncate(owner: KubeObject, all: readonly KubeObject[], used: ReadonlySet<string>): Promise<void> {
    const limit = owner.spec?.revisionHistoryLimit ?? 10;
    const idle = all.filter(
      (revision) => !used.has(revision.metadata.name ?? '') && !used.has(hashOf(revision, this.#options.hashLabel)),
    );
    for (const { metadata } of idle.slice(0, Math.max(0, idle.length - limit))) {
      try {
        await this.#client.delete(metadata.namespace ?? '', metadata.name ?? '');
      } catch (err) {
        if (!isNotFound(err)) throw err;
      }
    }
  }
}

export function hashOf(revision: KubeObject, label: string): string {
  return revision.metadata.labels?.[label] ?? '';
}

function byNumber(a: KubeObject, b: KubeObject): number {
  return (a.revision ?? 0) - (b.revision ?? 0) || byAge(a, b);
}

/** A strategic patch that puts this template in place of any other. */
export function templateData(owner: KubeObject): Loose {
  return { spec: { template: { ...structuredClone(owner.spec.template), $patch: 'replace' } } };
}

/** The template that a revision keeps. */
export function templateOf(revision: KubeObject): Loose {
  const { $patch: _, ...template } = revision.data?.spec?.template ?? {};
  return template;
}

/** Why it changed (`kubernetes.io/change-cause`) goes along; what was applied is not said twice. */
function notes(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...rest } = annotations;
  return rest;
}
