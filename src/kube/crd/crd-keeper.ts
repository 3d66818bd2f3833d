/**
 * The life of CustomResourceDefinitions: gives them their names and conditions, serves their kinds, and when one is
 * deleted deletes its objects first. Every server runs one; what several of them do to one definition is the same.
 */
import { assert } from '../../util/assert.js';
import type { Kind } from '../kinds/kind.js';
import type { KindRegistry } from '../kinds/kind-registry.js';
import { ApiError } from '../machinery/api-error.js';
import { equalJson } from '../machinery/json-value.js';
import { CLEANUP_FINALIZER } from '../machinery/metadata-validation.js';
import type { KeeperOptions } from '../rest/keeper.js';
import { Keeper } from '../rest/keeper.js';
import type { Resource, Resources } from '../rest/resource.js';
import type { WatchedKindOptions } from '../rest/watched-kind.js';
import { WatchedKind } from '../rest/watched-kind.js';
import { customKinds, storageDirOf } from './custom-kind.js';
import type { Definition, DefinitionCondition } from './definition.js';
import { isTrue } from './definition.js';
import { definitionKind } from './definition-kind.js';
import { decideNames, namesTakenBeside } from './definition-names.js';

/** How often a definition that waits for the end of its objects looks again, ms. */
const TERMINATING_POLL_MS = 1000;

export interface CrdKeeperOptions extends Omit<KeeperOptions, 'name'>, WatchedKindOptions {
  readonly resources: Resources;
  /** The registry that the server serves. Only kinds of definitions are added and removed here. */
  readonly kinds: KindRegistry;
  /** `registry.close`: a folder is not served any more. */
  readonly close?: (dir: string) => Promise<void>;
  /** After kinds came, went or changed. */
  readonly onKindsChanged?: () => void;
  /** ms since the epoch. Default Date.now. */
  readonly now?: () => number;
}

interface Served {
  readonly group: string;
  readonly plural: string;
  readonly dir: string;
  /** Of what the kinds were made of. */
  readonly fingerprint: string;
}

export class CrdKeeper {
  readonly definitions: WatchedKind;
  readonly #options: CrdKeeperOptions;
  readonly #resource: Resource;
  readonly #keeper: Keeper;
  readonly #served = new Map<string, Served>();
  /** Kinds that are no definition's. */
  readonly #others: readonly Kind[];

  constructor(options: CrdKeeperOptions) {
    const { group, version, plural } = definitionKind;
    assert(options.kinds.find(group, version, plural) === definitionKind, () => 'builtinKinds without extensionKinds');
    this.#options = options;
    this.#others = options.kinds.all();
    this.#resource = options.resources.of(definitionKind);
    this.definitions = new WatchedKind(this.#resource, options);
    this.#keeper = new Keeper((name) => this.#keep(name), { ...options, name: 'kube-apiserver' });
  }

  /** Resolves when the definitions of now are served. @param ms wait no longer */
  async start(ms = 5000): Promise<boolean> {
    this.#keeper.follow(this.definitions, (object, gone) => this.#affected(object as Definition, gone));
    const synced = await this.definitions.whenSynced(ms);
    await this.#keeper.whenIdle();
    return synced;
  }

  stop(): void {
    this.#keeper.stop();
    this.definitions.stop();
  }

  /** When all that is known has been done. For tests. */
  whenIdle(): Promise<void> {
    return this.#keeper.whenIdle();
  }

  /** The definition itself, and those of its group that may have waited for one of its names. */
  *#affected(definition: Definition, gone: boolean): Generator<string> {
    yield definition.metadata.name!;
    for (const other of this.definitions.list() as Generator<Definition>) {
      if (other.spec.group !== definition.spec.group || other.metadata.name === definition.metadata.name) continue;
      if (gone || !isTrue(other, 'NamesAccepted')) yield other.metadata.name!;
    }
  }

  async #keep(name: string): Promise<number | undefined> {
    const definition = this.definitions.get('', name) as Definition | undefined;
    if (definition === undefined) {
      await this.#unserve(name);
      return undefined;
    }
    if (definition.metadata.deletionTimestamp !== undefined) return this.#terminate(definition);
    const taken = namesTakenBeside(definition, this.#others, this.definitions.list() as Generator<Definition>);
    const { acceptedNames, conditions } = decideNames(definition, taken);
    const current = await this.#setStatus(definition, conditions, acceptedNames);
    if (isTrue(current, 'Established')) this.#serve(current, false);
    return undefined;
  }

  /** @returns the definition with that status; itself if it had it already */
  async #setStatus(
    definition: Definition,
    conditions: readonly Omit<DefinitionCondition, 'lastTransitionTime'>[],
    acceptedNames?: object,
  ): Promise<Definition> {
    const set = (target: Definition): void => {
      const status = (target.status ??= {});
      if (acceptedNames !== undefined) status.acceptedNames = acceptedNames;
      status.conditions = conditions.reduce(
        (list, next) => withCondition(list, next, this.#time()),
        [...(status.conditions ?? [])],
      );
    };
    const wanted = { ...definition, status: { ...definition.status } };
    set(wanted);
    if (equalJson(wanted.status, definition.status)) return definition;
    const change = (object: object): void => set(object as Definition);
    const { object } = await this.#resource.modify(
      this.#keeper.context,
      '',
      definition.metadata.name!,
      'status',
      change,
    );
    return object as Definition;
  }

  #time(): string {
    return `${new Date((this.#options.now ?? Date.now)()).toISOString().slice(0, 19)}Z`;
  }

  #serve(definition: Definition, terminating: boolean): void {
    const { spec, status, metadata } = definition;
    const fingerprint = JSON.stringify([spec, status?.acceptedNames, terminating]);
    const before = this.#served.get(metadata.name!);
    if (before?.fingerprint === fingerprint) return;
    const { kinds } = this.#options;
    const { group } = spec;
    const { plural } = spec.names;
    kinds.remove(group, plural);
    kinds.add(...customKinds(definition, terminating));
    this.#served.set(metadata.name!, { group, plural, dir: storageDirOf(definition), fingerprint });
    this.#options.onKindsChanged?.();
  }

  async #unserve(name: string): Promise<void> {
    const served = this.#served.get(name);
    if (served === undefined) return;
    this.#served.delete(name);
    this.#options.kinds.remove(served.group, served.plural);
    this.#options.onKindsChanged?.();
    await this.#options.close?.(served.dir);
  }

  /** @returns when to look again, while objects with finalizers are still there */
  async #terminate(definition: Definition): Promise<number | undefined> {
    if (!definition.metadata.finalizers?.includes(CLEANUP_FINALIZER)) return undefined;
    const going = 'CustomResource deletion is in progress';
    await this.#setStatus(definition, [
      { type: 'Terminating', status: 'True', reason: 'InstanceDeletionInProgress', message: going },
    ]);
    // A definition that never was established has no objects, and its names may be another's.
    if (isTrue(definition, 'Established')) {
      this.#serve(definition, true);
      if (!(await this.#deleteObjects(definition))) return TERMINATING_POLL_MS;
    }
    const { context } = this.#keeper;
    const drop = (object: Definition['metadata']): void => {
      object.finalizers = (object.finalizers ?? []).filter((one) => one !== CLEANUP_FINALIZER);
    };
    try {
      await this.#resource.modify(context, '', definition.metadata.name!, '', (object) => drop(object.metadata));
    } catch (error) {
      // Another server was faster.
      if (!(error instanceof ApiError && error.reason === 'NotFound')) throw error;
    }
    return undefined;
  }

  /** @returns whether none is left */
  async #deleteObjects(definition: Definition): Promise<boolean> {
    const stored = definition.spec.versions.map((version) => ({ ...version, served: version.storage }));
    const [kind] = customKinds({ ...definition, spec: { ...definition.spec, versions: stored } });
    const resource = this.#options.resources.of(kind!);
    const everything = { namespace: '' };
    await resource.deleteCollection(this.#keeper.context, {}, everything);
    return (await resource.list(everything)).items.length === 0;
  }
}

/** The list with the condition in it; its time stays when its status does. */
function withCondition(
  list: readonly DefinitionCondition[],
  next: Omit<DefinitionCondition, 'lastTransitionTime'>,
  now: string,
): DefinitionCondition[] {
  const old = list.find((condition) => condition.type === next.type);
  const lastTransitionTime = old?.status === next.status ? (old.lastTransitionTime ?? now) : now;
  const made: DefinitionCondition = { lastTransitionTime, ...next };
  if (old === undefined) return [...list, made];
  return list.map((condition) => (condition === old ? made : condition));
}
