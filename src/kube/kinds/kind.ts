/**
 * What the API server must know of one served kind (one resource in one version of its group). Built-in kinds are one
 * file each in this folder; custom resources are made from their definition. Everything generic (routing, discovery,
 * OpenAPI, decoding, patches, Table, storage) is driven by this value: a new kind is one new file.
 */
import type { FieldError } from '../machinery/field-error.js';
import type { NameRule } from '../machinery/names.js';
import type { KubeObject, OwnerReference } from '../machinery/object.js';
import type { ServedKind, Verb } from '../machinery/served-kind.js';
import { ALL_VERBS } from '../machinery/served-kind.js';

export { ALL_VERBS, type Verb };

/** A column of the Table form. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'number' | 'date';
  /** `name` for the first column. */
  readonly format?: string;
  readonly description?: string;
  /** 1 is shown by `-o wide` only. Default 0. */
  readonly priority?: number;
}
export type Cell = string | number | boolean | null;
export interface RowCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface Subresource {
  /** `status`, `scale`, `log` ... */
  readonly name: string;
  /** What is exchanged, for discovery: `{group: 'autoscaling', version: 'v1', kind: 'Scale'}`; default the kind itself. */
  readonly exchanges?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly (Verb | 'create' | 'get')[];
}

/** Where /scale finds its numbers. Paths are dotted, without a leading dot: `spec.replicas`. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** The selector in its text form, `app=web`; absent for none. */
  readonly selector?: (object: KubeObject) => string;
}

/** Reads that validation and allocation may make; consistent, never from a cache unless said. */
export interface ObjectReader {
  /** Of any served kind, by group and plural. Null if it is not there. */
  get(group: string, plural: string, namespace: string, name: string): Promise<KubeObject | null>;
  /** @param namespace empty for all */
  list(group: string, plural: string, namespace: string): Promise<KubeObject[]>;
}

/** Undone if the write that it prepared does not come about. */
export type Undo = () => Promise<void>;

/** Steps of a kind that need the store: allocation of addresses and ports. */
export interface KindHooks {
  /** After defaults, before validation. May change the object. */
  readonly beforeCreate?: (object: KubeObject, objects: ObjectReader, dryRun: boolean) => Promise<Undo | undefined>;
  readonly beforeUpdate?: (
    object: KubeObject,
    old: KubeObject,
    objects: ObjectReader,
    dryRun: boolean,
  ) => Promise<Undo | undefined>;
  /** The update was written; may free what old had and object has not. Not after a dry run. */
  readonly afterUpdate?: (object: KubeObject, old: KubeObject, objects: ObjectReader) => Promise<void>;
  readonly afterDelete?: (object: KubeObject, objects: ObjectReader) => Promise<void>;
}

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

export interface Kind extends ServedKind {
  /** Default ALL_VERBS. A kind with only `create` stores nothing: it is answered by a virtual handler. */
  readonly verbs?: readonly Verb[];

  /** Below /registry/, without slashes at its ends: `pods`, `services/specs`. Kinds that share it share objects. */
  readonly storageDir: string;
  /** apiVersion written into stored objects, if it is not this kind's own: another version of the same storage. */
  readonly storedApiVersion?: string;
  /** To and from the stored form, when storedApiVersion is given and the shapes differ. Must not change its argument. */
  readonly toStored?: (object: KubeObject) => KubeObject;
  readonly fromStored?: (object: KubeObject) => KubeObject;
  /** Objects vanish by themselves after so long (events), in seconds. */
  readonly ttlSeconds?: number;

  /** The main path leaves status alone, /status leaves the rest alone. */
  readonly hasStatus: boolean;
  /** A create may bring its status with it (Node: whoever registers knows it already). */
  readonly keepsStatusOnCreate?: boolean;
  /** metadata.generation counts changes outside metadata and status. */
  readonly hasGeneration: boolean;
  readonly subresources?: readonly Subresource[];
  readonly scale?: ScalePaths;

  readonly nameRule?: NameRule;
  /** A PUT of a missing object creates it. */
  readonly allowCreateOnUpdate?: boolean;
  /** A PUT without resourceVersion overwrites. Default true. */
  readonly allowUnconditionalUpdate?: boolean;
  /** Strategic merge patch is refused with 415 (custom resources). */
  readonly noStrategicPatch?: boolean;

  /** Fills in what was left out. Idempotent; also run on what is read from the store. */
  readonly setDefaults?: (object: KubeObject) => void;
  /** On create, after defaults: drops or sets what clients may not choose (status, phase). Generic rules come first. */
  readonly prepareForCreate?: (object: KubeObject) => void;
  /** On update of the main path; `object` already has old's status when hasStatus. */
  readonly prepareForUpdate?: (object: KubeObject, old: KubeObject) => void;
  readonly prepareForStatusUpdate?: (object: KubeObject, old: KubeObject) => void;
  /** metadata has been checked already. */
  readonly validate?: (object: KubeObject) => FieldError[];
  /** Besides validate: what only a new object may not have. */
  readonly validateCreate?: (object: KubeObject) => FieldError[];
  /** Besides validate: what may not change. */
  readonly validateUpdate?: (object: KubeObject, old: KubeObject) => FieldError[];
  readonly validateStatusUpdate?: (object: KubeObject, old: KubeObject) => FieldError[];
  /** Besides validate, of a path that writes a part of the object (`ephemeralcontainers`, `approval`). */
  readonly validatePartUpdate?: (object: KubeObject, old: KubeObject, subresource: string) => FieldError[];
  /** Sent as Warning headers with the answer to a write. */
  readonly warnings?: (object: KubeObject) => string[];
  readonly hooks?: KindHooks;

  /** Grace period of a deletion in seconds; absent: 0, deleted at once. @param asked of the client, or undefined */
  readonly graceSeconds?: (object: KubeObject, asked: number | undefined) => number;
  /** Default Background. */
  readonly defaultPropagation?: Propagation;
  /** May a deletion by policy add finalizers of the garbage collector? Default true. */
  readonly garbageCollected?: boolean;
  /** The answer of a completed delete is the object instead of a Status. */
  readonly deleteReturnsObject?: boolean;

  /** Besides metadata.name and metadata.namespace. */
  readonly fieldSelectors?: Readonly<Record<string, (object: KubeObject) => string>>;

  /** Default Name and Age. */
  readonly columns?: readonly Column[];
  /** One cell a column. @param now ms since the epoch */
  readonly cells?: (object: KubeObject, now: number) => Cell[];
  readonly rowConditions?: (object: KubeObject) => RowCondition[];
}

/** The kinds that are served now. Custom resources come and go while the server runs. */
export interface Kinds {
  /** By group, version and plural. */
  find(group: string, version: string, plural: string): Kind | undefined;
  /** By group and plural, whatever the version; the preferred one. */
  findResource(group: string, plural: string): Kind | undefined;
  /** By group, version and kind (ownerReferences, protobuf bodies). */
  findKind(group: string, version: string, kind: string): Kind | undefined;
  /** In the order of discovery. */
  all(): readonly Kind[];
  /** Counts changes: whoever caches something made of all() asks this first. */
  readonly generation: number;
}

export type { NameRule, OwnerReference };
