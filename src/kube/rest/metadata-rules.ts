/** What becomes of metadata before a write, whatever the kind. Source: kubernetes object metadata. */
import { randomInt, randomUUID } from 'node:crypto';
import type { Kind } from '../kinds/kind.js';
import { ApiError, badRequest, conflict } from '../machinery/api-error.js';
import { invalid, invalidObject } from '../machinery/field-error.js';
import { equalJson } from '../machinery/json-value.js';
import type { MetadataRules } from '../machinery/metadata-validation.js';
import type { KubeObject, ObjectMeta } from '../machinery/object.js';

/** Without vowels and digits that look like letters. */
const NAME_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const NAME_SUFFIX = 5;
const NAME_PREFIX_MAX = 58;

export function generatedName(prefix: string): string {
  let name = prefix.slice(0, NAME_PREFIX_MAX);
  for (let i = 0; i < NAME_SUFFIX; i++) name += NAME_LETTERS[randomInt(NAME_LETTERS.length)];
  return name;
}

/** RFC 3339 in UTC, whole seconds. @param ms since the epoch */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

export function metadataRules(kind: Kind): MetadataRules {
  const { namespaced, nameRule, noStrategicPatch } = kind;
  return { namespaced, strictFinalizers: noStrategicPatch !== true, ...(nameRule === undefined ? {} : { nameRule }) };
}

/** @throws ApiError 400 for an object of another namespace than the path's */
export function takeNamespace(kind: Kind, object: KubeObject, namespace: string): void {
  const sent = object.metadata.namespace ?? '';
  if (!kind.namespaced) delete object.metadata.namespace;
  else if (sent === '') object.metadata.namespace = namespace;
  else if (sent !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

/** @throws ApiError 400 for an object of another name than the path's */
export function checkSentName(object: KubeObject, name: string): void {
  const sent = object.metadata.name ?? '';
  if (sent === '') {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (sent !== name) throw badRequest(`the name of the object (${sent}) does not match the name on the URL (${name})`);
}

/** Of a new object: what the server alone decides. */
export function startMetadata(kind: Kind, object: KubeObject, now: number): void {
  const metadata = object.metadata as ObjectMeta & { selfLink?: string };
  if ((metadata.resourceVersion ?? '') !== '') {
    throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
  }
  delete metadata.resourceVersion;
  delete metadata.selfLink;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  metadata.uid = randomUUID();
  metadata.creationTimestamp = timeText(now);
  if (kind.hasGeneration) metadata.generation = 1;
  else delete metadata.generation;
  if ((metadata.name ?? '') === '' && (metadata.generateName ?? '') !== '') {
    metadata.name = generatedName(metadata.generateName!);
  }
}

/** The same instant in another spelling is the same. */
function sameTime(a: string | null | undefined, b: string | null | undefined): boolean {
  return a === b || (!!a && !!b && Math.floor(Date.parse(a) / 1000) === Math.floor(Date.parse(b) / 1000));
}

/** Of a changed object: what was left out of the server's own fields, and what never comes from a client. */
export function carryMetadata(object: KubeObject, old: KubeObject): void {
  const metadata = object.metadata as ObjectMeta & { selfLink?: string };
  const before = old.metadata;
  delete metadata.selfLink;
  for (const field of ['name', 'namespace', 'uid', 'resourceVersion', 'generation'] as const) {
    carry(metadata, before, field);
  }
  for (const field of ['creationTimestamp', 'deletionTimestamp'] as const) {
    if (!metadata[field] || sameTime(metadata[field], before[field])) carry(metadata, before, field);
  }
  if (metadata.deletionGracePeriodSeconds === undefined) carry(metadata, before, 'deletionGracePeriodSeconds');
}

function carry<F extends keyof ObjectMeta>(metadata: ObjectMeta, before: ObjectMeta, field: F): void {
  if (before[field] === undefined) delete metadata[field];
  else metadata[field] = before[field];
}

/** Are they the write of who sent them? Conflicts are told, an unconditional write is allowed where the kind allows it. */
export function checkSentIdentity(kind: Kind, sent: ObjectMeta, old: KubeObject): void {
  const name = old.metadata.name ?? '';
  const { uid, resourceVersion } = old.metadata;
  if (sent.uid !== undefined && sent.uid !== '' && sent.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${sent.uid}, UID in object meta: ${uid ?? ''}`;
    throw conflict(kind, name, why);
  }
  if ((sent.resourceVersion ?? '') === '') {
    if (kind.allowUnconditionalUpdate !== false) return;
    const error = invalid('metadata.resourceVersion', 0, 'must be specified for an update');
    throw invalidObject(kind.group, kind.kind, name, [error]);
  }
  if (sent.resourceVersion !== resourceVersion) throw conflict(kind, name);
}

/** Anything outside metadata and status differs. */
export function specChanged(a: KubeObject, b: KubeObject): boolean {
  const { metadata: _, status: __, ...restA } = a;
  const { metadata: ___, status: ____, ...restB } = b;
  return !equalJson(restA, restB);
}
