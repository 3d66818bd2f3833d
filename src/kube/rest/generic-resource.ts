import { ApiError, conflict } from '../machinery/api-error.js';
import { applyServerSide } from '../machinery/apply/server-side-apply.js';
import { copyJson } from '../machinery/json-value.js';
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../machinery/object.js';
import { apiVersionOf } from '../machinery/object.js';
import type {
  ListOptions,
  ObjectFilter,
  ObjectList,
  ObjectStore,
  StoreWatch,
  Updated,
  WatchOptions,
  WatchSink,
} from '../registry/index.js';
import { checkDeleteOptions, isDeletionComplete, stepDeletion } from './deletion.js';
import {
  checkSentIdentity,
  checkSentName,
  generatedName,
  startMetadata,
  takeNamespace,
  timeText,
} from './metadata-rules.js';
import type { ObjectView } from './object-view.js';
import { canonicalConfig, checkConfig, checkPatch, patched, uidOfNothing } from './patcher.js';
import type { DeleteOptions, DeleteResult, Patch, Resource, WriteContext, WriteResult } from './resource.js';
import { UndoList } from './undo-list.js';
import { strategyOf } from './update-strategy.js';
import type { WriteCase, WriteTools } from './write-flow.js';
import { admissionRequest, runCreate, runUpdate } from './write-flow.js';

/** How often a generated name is drawn anew. */
const NAMES_MAX = 8;
/** How often a patch is put on what somebody else wrote meanwhile. */
const PATCHES_MAX = 5;
/** Deletions of a collection at once. */
const DELETIONS = 10;

/** What is written over an old object. */
interface Sent {
  readonly object: KubeObject;
  /** Of an apply. */
  readonly managedFields?: readonly ManagedFieldsEntry[];
  readonly unchanged?: boolean;
}

/** One kind over its store: the pipeline of every write, and reads in the kind's version. */
export class GenericResource implements Resource {
  readonly #tools: WriteTools;
  readonly #store: ObjectStore;
  readonly #view: ObjectView;

  constructor(tools: WriteTools, store: ObjectStore, view: ObjectView) {
    this.#tools = tools;
    this.#store = store;
    this.#view = view;
  }

  get kind() {
    return this.#tools.kind;
  }

  create(context: WriteContext, namespace: string, object: KubeObject): Promise<WriteResult> {
    return this.#create(context, namespace, copyJson(object));
  }

  async get(namespace: string, name: string, resourceVersion?: string): Promise<KubeObject> {
    return this.#view.of(await this.#store.get(namespace, name, resourceVersion));
  }

  async list(options: ListOptions): Promise<ObjectList> {
    const list = await this.#store.list(this.#selecting(options));
    return { ...list, items: list.items.map((object) => this.#view.of(object)) };
  }

  watch(options: WatchOptions, sink: WatchSink): Promise<StoreWatch> {
    return this.#store.watch(this.#selecting(options), {
      event: (event) => sink.event(this.#view.event(event)),
      end: (error) => sink.end(error),
    });
  }

  async update(
    context: WriteContext,
    namespace: string,
    name: string,
    object: KubeObject,
    subresource: string,
  ): Promise<WriteResult> {
    checkSentName(object, name);
    const sent = copyJson(object);
    takeNamespace(this.kind, sent, namespace);
    const make = (old: KubeObject): Sent => {
      checkSentIdentity(this.kind, sent.metadata, old);
      return { object: copyJson(sent) };
    };
    if (subresource !== '' || !this.kind.allowCreateOnUpdate)
      return this.#write(context, namespace, name, subresource, make);
    return this.#upsert(
      () => this.#write(context, namespace, name, subresource, make),
      () => {
        const { resourceVersion: _, ...metadata } = sent.metadata;
        return this.#create(context, namespace, copyJson({ ...sent, metadata }));
      },
    );
  }

  async patch(
    context: WriteContext,
    namespace: string,
    name: string,
    patch: Patch,
    subresource: string,
  ): Promise<WriteResult> {
    checkPatch(this.kind, patch, context);
    if (patch.type === 'apply') return this.#apply(context, namespace, name, patch, subresource);
    let tries = 0;
    const make = (old: KubeObject): Sent => {
      if (tries++ > PATCHES_MAX) throw conflict(this.kind, name);
      const object = copyJson(patched(this.kind, old, patch, context));
      checkSentName(object, name);
      takeNamespace(this.kind, object, namespace);
      checkSentIdentity(this.kind, object.metadata, old);
      return { object };
    };
    return this.#write(context, namespace, name, subresource, make);
  }

  modify(
    context: WriteContext,
    namespace: string,
    name: string,
    subresource: string,
    change: (object: KubeObject) => void | Promise<void>,
  ): Promise<WriteResult> {
    return this.#write(context, namespace, name, subresource, async (old) => {
      const object = copyJson(old);
      await change(object);
      checkSentIdentity(this.kind, object.metadata, old);
      return { object };
    });
  }

  async delete(context: WriteContext, namespace: string, name: string, options: DeleteOptions): Promise<DeleteResult> {
    checkDeleteOptions(options);
    const undos = new UndoList();
    const write: WriteCase = { context, namespace, name, subresource: '', undos };
    let removed = false;
    let last: KubeObject | undefined;
    const step = async (stored: KubeObject | null): Promise<Updated> => {
      await undos.run();
      const old = this.#view.of(stored!);
      const request = admissionRequest(this.#tools, 'DELETE', write, null, old, { ...options });
      await this.#tools.admission.admit(request);
      await this.#tools.admission.validate(request);
      const object = copyJson(old);
      const what = stepDeletion(this.kind, object, options, this.#tools.now());
      removed = what === 'remove';
      last = old;
      if (what === 'pending') return { unchanged: true };
      return removed ? { remove: true } : { object: this.#view.stored(object) };
    };
    const { preconditions } = options;
    const settings = { dryRun: context.dryRun, ...(preconditions === undefined ? {} : { preconditions }) };
    const stored = await this.#orUndo(undos, this.#store.update(namespace, name, step, settings));
    undos.keep();
    if (removed && !context.dryRun) await this.kind.hooks?.afterDelete?.(last!, this.#tools.objects);
    return { object: this.#view.of(stored), done: removed };
  }

  async deleteCollection(context: WriteContext, options: DeleteOptions, list: ListOptions): Promise<ObjectList> {
    checkDeleteOptions(options);
    const found = await this.list(list);
    const left = found.items.values();
    const worker = async () => {
      for (const object of left) await this.#deleteIfThere(context, object, options);
    };
    const results = await Promise.allSettled(Array.from({ length: DELETIONS }, worker));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return found;
  }

  async #deleteIfThere(context: WriteContext, object: KubeObject, options: DeleteOptions): Promise<void> {
    try {
      await this.delete(context, object.metadata.namespace ?? '', object.metadata.name!, options);
    } catch (err) {
      if (!(err instanceof ApiError && err.reason === 'NotFound')) throw err;
    }
  }

  /** @param object the caller's own */
  async #create(
    context: WriteContext,
    namespace: string,
    object: KubeObject,
    managedFields?: readonly ManagedFieldsEntry[],
  ): Promise<WriteResult> {
    const { kind, now } = this.#tools;
    takeNamespace(kind, object, namespace);
    object.apiVersion = apiVersionOf(kind);
    object.kind = kind.kind;
    const drawn = (object.metadata.name ?? '') === '' && (object.metadata.generateName ?? '') !== '';
    startMetadata(kind, object, now());
    if (kind.hasStatus && !kind.keepsStatusOnCreate) delete object.status;
    const undos = new UndoList();
    const name = object.metadata.name ?? '';
    const write: WriteCase = { context, namespace, name, subresource: '', undos, managedFields };
    const stored = await this.#orUndo(undos, this.#insert(write, object, drawn));
    undos.keep();
    return { object: this.#view.of(stored), created: true };
  }

  async #insert(write: WriteCase, object: KubeObject, drawn: boolean): Promise<KubeObject> {
    const { context, namespace } = write;
    await runCreate(this.#tools, write, object);
    for (let tries = 1; ; tries++) {
      try {
        const stored = this.#view.stored(object);
        return await this.#store.create(namespace, object.metadata.name!, stored, { dryRun: context.dryRun });
      } catch (err) {
        const taken = err instanceof ApiError && err.reason === 'AlreadyExists';
        if (!taken || !drawn || tries >= NAMES_MAX) throw err;
        object.metadata.name = generatedName(object.metadata.generateName!);
      }
    }
  }

  /** One write over what is there, tried again as often as the store says that somebody was faster. */
  async #write(
    context: WriteContext,
    namespace: string,
    name: string,
    subresource: string,
    make: (old: KubeObject) => Sent | Promise<Sent>,
  ): Promise<WriteResult> {
    const strategy = strategyOf(this.kind, subresource);
    const undos = new UndoList();
    let last!: { old: KubeObject; object: KubeObject; removed: boolean };
    const step = async (stored: KubeObject | null): Promise<Updated> => {
      // A former attempt did not come about.
      await undos.run();
      const old = this.#view.of(stored!);
      const { object: sent, managedFields, unchanged } = await make(old);
      if (unchanged) {
        last = { old, object: old, removed: false };
        return { unchanged: true };
      }
      const write: WriteCase = { context, namespace, name, subresource, undos, managedFields };
      const object = await runUpdate(this.#tools, write, strategy, sent, old);
      const removed = isDeletionComplete(this.kind, object);
      last = { old, object, removed };
      return removed ? { remove: true } : { object: this.#view.stored(object) };
    };
    const stored = await this.#orUndo(undos, this.#store.update(namespace, name, step, { dryRun: context.dryRun }));
    await this.#written(undos, stored, last, context.dryRun);
    return { object: this.#view.of(stored), created: false };
  }

  async #written(
    undos: UndoList,
    stored: KubeObject,
    last: { old: KubeObject; object: KubeObject; removed: boolean },
    dryRun: boolean,
  ): Promise<void> {
    const { old, object, removed } = last;
    if (dryRun || (!removed && stored.metadata.resourceVersion === old.metadata.resourceVersion)) return undos.run();
    undos.keep();
    const { hooks } = this.kind;
    if (removed) await hooks?.afterDelete?.(old, this.#tools.objects);
    else await hooks?.afterUpdate?.(object, old, this.#tools.objects);
  }

  async #apply(
    context: WriteContext,
    namespace: string,
    name: string,
    patch: Patch,
    subresource: string,
  ): Promise<WriteResult> {
    const { kind, now } = this.#tools;
    const config = canonicalConfig(kind, checkConfig(kind, patch.body as JsonObject, namespace, name));
    const metadata = config.metadata as JsonObject;
    const run = (live: KubeObject | null) =>
      applyServerSide({
        schema: kind.schema,
        live,
        config,
        manager: context.fieldManager,
        force: patch.force,
        subresource,
        apiVersion: apiVersionOf(kind),
        now: timeText(now()),
        ...(kind.hasStatus ? {} : { ignored: [] }),
      });
    const over = () => {
      let tries = 0;
      return this.#write(context, namespace, name, subresource, (old) => {
        if (tries++ > PATCHES_MAX) throw conflict(kind, name);
        const { uid, resourceVersion } = metadata as { uid?: string; resourceVersion?: string };
        const identity = {
          ...(uid === undefined ? {} : { uid }),
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        };
        // An apply without a revision is of whatever is there, for every kind.
        if (resourceVersion !== undefined || uid !== undefined) {
          checkSentIdentity({ ...kind, allowUnconditionalUpdate: true }, identity, old);
        }
        const { object, managedFields, changed } = run(old);
        return { object, managedFields, unchanged: !changed };
      });
    };
    if (subresource !== '') return over();
    return this.#upsert(over, () => {
      if (typeof metadata.uid === 'string' && metadata.uid !== '') throw uidOfNothing(kind, name, metadata.uid);
      const { object, managedFields } = run(null);
      return this.#create(context, namespace, object, managedFields);
    });
  }

  /** Writes over what is there, or makes it; somebody else may make or remove it in between. */
  async #upsert(over: () => Promise<WriteResult>, create: () => Promise<WriteResult>): Promise<WriteResult> {
    for (let tries = 1; ; tries++) {
      try {
        return await over();
      } catch (err) {
        if (!(err instanceof ApiError && err.reason === 'NotFound')) throw err;
      }
      try {
        return await create();
      } catch (err) {
        if (!(err instanceof ApiError && err.reason === 'AlreadyExists') || tries >= PATCHES_MAX) throw err;
      }
    }
  }

  async #orUndo<T>(undos: UndoList, write: Promise<T>): Promise<T> {
    try {
      return await write;
    } catch (err) {
      await undos.run();
      throw err;
    }
  }

  /** The store filters stored objects, whoever asks means those of this kind's version. */
  #selecting<O extends { readonly filter?: ObjectFilter }>(options: O): O {
    const { filter } = options;
    return filter === undefined
      ? options
      : { ...options, filter: (object: KubeObject) => filter(this.#view.of(object)) };
  }
}
