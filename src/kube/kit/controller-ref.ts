/** Whose child an object is: the owner reference that is marked as the controller. */
import type { KubeObject, OwnerReference } from '../machinery/object.js';
import type { ResourceClient } from './api.js';
import { ApiStatusError, isNotFound } from './api-status-error.js';

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((ref) => ref.controller === true);
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/** A reference for children of this owner. */
export function controllerRef(owner: KubeObject): OwnerReference {
  const { name = '', uid = '' } = owner.metadata;
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

export interface ClaimOptions {
  readonly owner: KubeObject;
  readonly children: readonly KubeObject[];
  /** Whether the owner's selector matches the child. */
  readonly matches: (child: KubeObject) => boolean;
  readonly childClient: ResourceClient;
  /** The owner as the server has it now: adopting for one that is going, or another of its name, would be wrong. */
  readonly readOwner: () => Promise<KubeObject>;
}

/**
 * The children that are the owner's: those that it controls and its selector matches, and orphans that it matches and
 * thereby adopts; those that it controls and no longer matches are released (kubernetes controllers, ControllerRef).
 */
export async function claim(options: ClaimOptions): Promise<KubeObject[]> {
  const { owner, children, matches, childClient } = options;
  const { uid } = owner.metadata;
  let mayAdopt: Promise<boolean> | null = null;
  const claimed: KubeObject[] = [];
  for (const child of children) {
    const controller = controllerOf(child);
    if (controller !== undefined) {
      if (controller.uid !== uid) continue;
      if (matches(child)) claimed.push(child);
      else if (owner.metadata.deletionTimestamp === undefined) await release(childClient, child, uid ?? '');
      continue;
    }
    if (!matches(child) || child.metadata.deletionTimestamp !== undefined) continue;
    if (owner.metadata.deletionTimestamp !== undefined) continue;
    mayAdopt ??= options.readOwner().then(
      (fresh) => fresh.metadata.uid === uid && fresh.metadata.deletionTimestamp === undefined,
      (err) => {
        if (isNotFound(err)) return false;
        throw err;
      },
    );
    if (!(await mayAdopt)) continue;
    const adopted = await adopt(childClient, child, controllerRef(owner));
    if (adopted !== null) claimed.push(adopted);
  }
  return claimed;
}

async function adopt(client: ResourceClient, child: KubeObject, ref: OwnerReference): Promise<KubeObject | null> {
  const { namespace = '', name = '', uid } = child.metadata;
  try {
    const body = { metadata: { uid: uid ?? '', ownerReferences: [{ ...ref }] } };
    return await client.patch(namespace, name, 'strategic', body as never);
  } catch (err) {
    if (gone(err)) return null;
    throw err;
  }
}

async function release(client: ResourceClient, child: KubeObject, owner: string): Promise<void> {
  const { namespace = '', name = '', uid } = child.metadata;
  try {
    const body = { metadata: { uid: uid ?? '', ownerReferences: [{ $patch: 'delete', uid: owner }] } };
    await client.patch(namespace, name, 'strategic', body as never);
  } catch (err) {
    if (!gone(err)) throw err;
  }
}

/** It is not there, or another of its name is. */
function gone(err: unknown): boolean {
  return isNotFound(err) || (err instanceof ApiStatusError && (err.code === 409 || err.code === 422));
}
