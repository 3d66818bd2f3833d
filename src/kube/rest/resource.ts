/**
 * The generic resource: metadata rules, strategies of the kind, admission and deletion around an ObjectStore. One for
 * each served kind and version; the HTTP handlers, controllers' tests and admission plug-ins use nothing lower.
 */

import type { Kind, Propagation } from '../kinds/kind.js';
import type { JsonObject, KubeObject } from '../machinery/object.js';
import type { UserInfo } from '../machinery/request.js';
import type {
  ListOptions,
  ObjectList,
  Preconditions,
  StoreWatch,
  WatchOptions,
  WatchSink,
} from '../registry/object-store.js';

export interface WriteContext {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** At most 128 printable characters; already defaulted from the User-Agent. */
  readonly fieldManager: string;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** Warning headers of the answer. */
  warn(text: string): void;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: Propagation;
  readonly orphanDependents?: boolean;
  readonly preconditions?: Preconditions;
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface Patch {
  readonly type: PatchType;
  /** JSON Patch: a list of operations; else an object. */
  readonly body: JsonObject | readonly JsonObject[];
  /** Apply only. */
  readonly force: boolean;
}

/** `created` tells 201 from 200. */
export interface WriteResult {
  readonly object: KubeObject;
  readonly created: boolean;
}

/** `done` false: it goes when its grace or finalizers are through; the object then carries deletionTimestamp. */
export interface DeleteResult {
  readonly object: KubeObject;
  readonly done: boolean;
}

/** All objects go in and come out in the kind's own version, with defaults, apiVersion and kind. Errors are ApiErrors. */
export interface Resource {
  readonly kind: Kind;
  create(context: WriteContext, namespace: string, object: KubeObject): Promise<WriteResult>;
  get(namespace: string, name: string, resourceVersion?: string): Promise<KubeObject>;
  list(options: ListOptions): Promise<ObjectList>;
  watch(options: WatchOptions, sink: WatchSink): Promise<StoreWatch>;
  /** @param subresource '' or `status`, or another that replaces a part of the object (`ephemeralcontainers`, `finalize`) */
  update(
    context: WriteContext,
    namespace: string,
    name: string,
    object: KubeObject,
    subresource: string,
  ): Promise<WriteResult>;
  patch(
    context: WriteContext,
    namespace: string,
    name: string,
    patch: Patch,
    subresource: string,
  ): Promise<WriteResult>;
  /**
   * Reads, lets `change` alter a copy in the kind's version, and writes as update does; again after a conflict. For
   * scale, bindings and whatever else is no plain replacement. Without `subresource` in the table of update everything
   * but the identity may change.
   */
  modify(
    context: WriteContext,
    namespace: string,
    name: string,
    subresource: string,
    change: (object: KubeObject) => void | Promise<void>,
  ): Promise<WriteResult>;
  delete(context: WriteContext, namespace: string, name: string, options: DeleteOptions): Promise<DeleteResult>;
  /** Deletes each of what list would answer; answers them as they were. */
  deleteCollection(context: WriteContext, options: DeleteOptions, list: ListOptions): Promise<ObjectList>;
}

/** Resources by kind; the way from any part of the server to any object. */
export interface Resources {
  of(kind: Kind): Resource;
}
