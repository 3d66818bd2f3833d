/** /scale: how many there are and should be, of any kind that has a number for it. Source: autoscaling/v1 Scale. */
import type { Column, Kind } from '../../kinds/kind.js';
import { ageSince } from '../../machinery/age.js';
import { badRequest, conflict, methodNotAllowed } from '../../machinery/api-error.js';
import { invalid, invalidObject } from '../../machinery/field-error.js';
import { applyJsonPatch } from '../../machinery/json-patch.js';
import { applyMergePatch } from '../../machinery/merge-patch.js';
import type { JsonObject, JsonValue, KubeObject } from '../../machinery/object.js';
import type { Patch } from '../../rest/resource.js';
import { namespaceOf } from '../list-query.js';
import type { ServerParts } from '../parts.js';
import { readDocument, readPatch } from '../read-object.js';
import { respondObject, viewOptions } from '../respond-object.js';
import { writeContext } from '../write-query.js';
import type { SubresourceHandler } from './subresource.js';

/** Conflicts with other writers before a patch is given up. */
const ATTEMPTS = 5;

const COLUMNS: readonly Column[] = [
  { name: 'Name', type: 'string', format: 'name' },
  { name: 'Desired', type: 'integer' },
  { name: 'Available', type: 'integer' },
  { name: 'Age', type: 'string' },
];

export function scaleHandler(parts: ServerParts): SubresourceHandler {
  return async (exchange, kind) => {
    const { info } = exchange;
    const view = viewOptions(exchange, parts.now());
    const resource = parts.resources.of(kind);
    const namespace = namespaceOf(info, kind);
    const shown = scaleKind(kind);
    if (info.verb === 'get') {
      const version = info.query.get('resourceVersion') ?? '';
      const parent = await resource.get(namespace, info.name, version === '' ? undefined : version);
      return respondObject(exchange, 200, shown, scaleOf(kind, parent), view);
    }
    if (info.verb !== 'update' && info.verb !== 'patch') throw methodNotAllowed();
    const isPatch = info.verb === 'patch';
    const context = writeContext(exchange, isPatch ? 'PatchOptions' : 'UpdateOptions');
    const change = isPatch ? patched(await readPatch(exchange, shown)) : replaced(await readDocument(exchange));
    for (let attempt = 1; ; attempt++) {
      const parent = await resource.get(namespace, info.name);
      const before = scaleOf(kind, parent);
      const wanted = change(before);
      const replicas = checked(wanted, info.name);
      const version = (wanted.metadata as JsonObject | undefined)?.resourceVersion;
      // A PUT may come without a version: it then overwrites. A patch starts from what it has read.
      const pinned =
        typeof version === 'string' && version !== '' && (!isPatch || version !== before.metadata.resourceVersion);
      if (pinned && version !== parent.metadata.resourceVersion) throw conflict(kind, info.name);
      const next = structuredClone(parent);
      setAt(next, (kind.scale as { specReplicas: string }).specReplicas, replicas);
      try {
        const result = await resource.update(context, namespace, info.name, next, '');
        return respondObject(exchange, 200, shown, scaleOf(kind, result.object), view);
      } catch (err) {
        const lost = (err as { reason?: string }).reason === 'Conflict' && !pinned && attempt < ATTEMPTS;
        if (!lost) throw err;
      }
    }
  };
}

export function scaleOf(kind: Kind, parent: KubeObject): KubeObject {
  const { scale } = kind;
  if (scale === undefined) throw badRequest(`${kind.plural} have no scale`);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = parent.metadata;
  const selector = scale.selector?.(parent);
  const desired = at(parent, scale.specReplicas);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: { ...(typeof desired === 'number' && desired !== 0 ? { replicas: desired } : {}) },
    status: {
      replicas: Number(at(parent, scale.statusReplicas) ?? 0),
      ...(selector === undefined || selector === '' ? {} : { selector }),
    },
  };
}

/** The kind as far as views and messages look at it. */
function scaleKind(kind: Kind): Kind {
  return {
    ...kind,
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
    columns: COLUMNS,
    cells: (scale, now) => [
      scale.metadata.name ?? '',
      scale.spec?.replicas ?? 0,
      scale.status?.replicas ?? 0,
      ageSince(scale.metadata.creationTimestamp, now),
    ],
  };
}

function replaced(body: JsonObject): (before: KubeObject) => JsonObject {
  return () => body;
}

function patched(patch: Patch): (before: KubeObject) => JsonObject {
  return (before) => {
    const current = structuredClone(before) as unknown as JsonObject;
    if (patch.type === 'json') return applyJsonPatch(current, patch.body as unknown as JsonValue[]);
    // A Scale has no lists: strategic and applied patches merge as plain ones do.
    return applyMergePatch(current, patch.body as JsonObject);
  };
}

/** @throws ApiError 400, 422 */
function checked(wanted: JsonObject, name: string): number {
  const metadata = wanted.metadata as JsonObject | undefined;
  if (metadata?.name !== undefined && metadata.name !== name) {
    throw badRequest(`the name of the object (${String(metadata.name)}) does not match the name on the URL (${name})`);
  }
  const replicas = (wanted.spec as JsonObject | undefined)?.replicas ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    throw badRequest(`Scale in version "v1" cannot be handled as a Scale: spec.replicas is an integer`);
  }
  if (replicas < 0) {
    const error = invalid('spec.replicas', replicas, 'must be greater than or equal to 0');
    throw invalidObject('autoscaling', 'Scale', name, [error]);
  }
  return replicas;
}

function at(object: KubeObject, path: string): unknown {
  let value: unknown = object;
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined | null)?.[part];
  return value;
}

function setAt(object: KubeObject, path: string, value: JsonValue): void {
  const parts = path.split('.');
  const last = parts.pop() as string;
  let inside: Record<string, unknown> = object;
  for (const part of parts) inside = (inside[part] ??= {}) as Record<string, unknown>;
  inside[last] = value;
}
