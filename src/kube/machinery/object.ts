/** Objects of the Kubernetes API as they travel in JSON. Sources: kubernetes API conventions, object metadata. */

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue | undefined };
export type JsonObject = { [key: string]: JsonValue | undefined };

/**
 * A part of an object whose shape is its kind's business. What a client sent has been held against the schema when it was
 * decoded, so that code of a kind only asks whether a member is there.
 */
// biome-ignore lint/suspicious/noExplicitAny: specs and statuses are read member by member, each with a default
export type Loose = any;

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** One manager's fields (server-side apply). */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  /** RFC 3339, whole seconds. */
  time?: string;
  fieldsType?: 'FieldsV1';
  fieldsV1?: JsonObject;
  subresource?: string;
}

export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  /** Decimal mod revision of the store; opaque to clients. Never stored with the object. */
  resourceVersion?: string;
  generation?: number;
  /** RFC 3339, whole seconds, Z. */
  creationTimestamp?: string | null;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
}

/**
 * Any object. Kinds narrow `spec` and `status` for themselves; machinery never looks inside them but through a
 * Schema. Objects are owned by who decoded them: code that did not make an object copies it before it changes it.
 */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: Loose;
  status?: Loose;
  /** Kinds have members beside these. */
  [member: string]: Loose;
}

export interface ListMeta {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

export interface GroupVersion {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(gv: GroupVersion): string {
  return gv.group === '' ? gv.version : `${gv.group}/${gv.version}`;
}

/** The reverse of apiVersionOf; a text without a slash is a version of the core group. */
export function parseApiVersion(text: string): GroupVersion {
  const slash = text.indexOf('/');
  return slash < 0 ? { group: '', version: text } : { group: text.slice(0, slash), version: text.slice(slash + 1) };
}

/** `pods`, `deployments.apps`: how messages name a resource. */
export function qualifiedResource(group: string, plural: string): string {
  return group === '' ? plural : `${plural}.${group}`;
}
