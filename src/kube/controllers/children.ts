/** Who is to look when a child changes: its controller, or, for an orphan, everyone whose selector matches it. */
import type { Informer } from '../kit/index.js';
import { controllerOf, keyOf } from '../kit/index.js';
import type { KubeObject } from '../machinery/object.js';
import { sameMeaning } from './same.js';

export interface ChildrenOptions {
  readonly children: Informer;
  readonly owners: Informer;
  /** Of the owners. */
  readonly kind: string;
  readonly matches: (owner: KubeObject, child: KubeObject) => boolean;
  readonly enqueue: (ownerKey: string) => void;
  /** The child was seen for the first time; before enqueue. */
  readonly added?: (ownerKey: string, child: KubeObject) => void;
  /** It is gone, or has begun to go. */
  readonly deleted?: (ownerKey: string, child: KubeObject) => void;
}

const ORPHANS = 'orphans';

/** @returns how to take the handlers off again */
export function watchChildren(options: ChildrenOptions): () => void {
  const { children, owners, kind, matches, enqueue } = options;
  children.addIndex(ORPHANS, orphanIndex);

  const ownerKeyOf = (child: KubeObject): string | undefined => {
    const ref = controllerOf(child);
    if (ref === undefined || ref.kind !== kind) return undefined;
    const owner = owners.get(child.metadata.namespace ?? '', ref.name);
    return owner !== undefined && owner.metadata.uid === ref.uid ? keyOf(owner) : undefined;
  };
  const enqueueMatching = (child: KubeObject): void => {
    for (const owner of owners.list(child.metadata.namespace ?? '')) if (matches(owner, child)) enqueue(keyOf(owner));
  };
  const removed = (child: KubeObject): void => {
    const key = ownerKeyOf(child);
    if (key === undefined) return;
    options.deleted?.(key, child);
    enqueue(key);
  };

  return children.onChange({
    add(child) {
      // A loop that has just started sees what was deleted before.
      if (child.metadata.deletionTimestamp !== undefined) return removed(child);
      const key = ownerKeyOf(child);
      if (key !== undefined) {
        options.added?.(key, child);
        enqueue(key);
      } else if (controllerOf(child) === undefined) enqueueMatching(child);
    },
    update(old, child) {
      if (old.metadata.resourceVersion === child.metadata.resourceVersion) return;
      const before = controllerOf(old)?.uid;
      const now = controllerOf(child)?.uid;
      if (before !== now) {
        const key = ownerKeyOf(old);
        if (key !== undefined) enqueue(key);
      }
      if (child.metadata.deletionTimestamp !== undefined) return removed(child);
      const key = ownerKeyOf(child);
      if (key !== undefined) enqueue(key);
      else if (now === undefined && (before !== now || !sameMeaning(old.metadata.labels, child.metadata.labels))) {
        enqueueMatching(child);
      }
    },
    delete: removed,
  });
}

function orphanIndex(object: KubeObject): readonly string[] {
  return controllerOf(object) === undefined ? [object.metadata.namespace ?? ''] : [];
}

/** The children that an owner has or may adopt; they are shared, and still to be claimed. Call watchChildren first. */
export function candidates(children: Informer, owner: KubeObject): KubeObject[] {
  return [
    ...children.byIndex('owner', owner.metadata.uid ?? ''),
    ...children.byIndex(ORPHANS, owner.metadata.namespace ?? ''),
  ];
}
