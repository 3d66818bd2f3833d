/** Status goes through its own path, and only when it differs. */
import type { Informer, ResourceClient } from '../kit/index.js';
import { isConflict } from '../kit/index.js';
import type { KubeObject } from '../machinery/object.js';
import { sameStatus } from './same.js';

/**
 * Writes a status that the loop alone owns. Where somebody else wrote the object meanwhile it is put on what they wrote.
 * @returns the object as it is then
 */
export async function writeStatus(client: ResourceClient, object: KubeObject, status: unknown): Promise<KubeObject> {
  if (sameStatus(object.status, status)) return object;
  const { namespace = '', name = '', uid } = object.metadata;
  try {
    return await client.update(namespace, { ...object, status }, 'status');
  } catch (err) {
    if (!isConflict(err)) throw err;
    const fresh = await client.get(namespace, name);
    if (fresh.metadata.uid !== uid) throw err;
    return await client.update(namespace, { ...fresh, status }, 'status');
  }
}

/** The informer's own if it is not behind what we wrote; else ours. */
export function newest(informer: Informer, ours: KubeObject): KubeObject {
  const { namespace = '', name = '', uid } = ours.metadata;
  const seen = informer.get(namespace, name);
  if (seen === undefined || seen.metadata.uid !== uid) return ours;
  return Number(seen.metadata.resourceVersion) > Number(ours.metadata.resourceVersion) ? seen : ours;
}
