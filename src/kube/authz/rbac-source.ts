/** Roles and bindings as the authorizer reads them. */
import type { Kinds } from '../kinds/kind.js';
import type { KubeObject } from '../machinery/object.js';
import type { Resources } from '../rest/resource.js';
import type { WatchedKindOptions } from '../rest/watched-kind.js';
import { WatchedKind } from '../rest/watched-kind.js';
import type { PolicyRule } from './rule.js';

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

export interface Subject {
  kind: string;
  apiGroup?: string;
  name: string;
  namespace?: string;
}
export interface RoleRef {
  apiGroup?: string;
  kind: string;
  name: string;
}
export interface Role extends KubeObject {
  rules?: PolicyRule[] | null;
}
export interface Binding extends KubeObject {
  roleRef: RoleRef;
  subjects?: Subject[] | null;
}

export interface RbacSource {
  /** False until the whole state has been seen once: before that nobody can be told no. */
  readonly synced: boolean;
  /** Counts changes of bindings. */
  readonly bindingsGeneration: number;
  role(namespace: string, name: string): Role | undefined;
  clusterRole(name: string): Role | undefined;
  clusterRoleBindings(): Iterable<Binding>;
  /** Of all namespaces. */
  roleBindings(): Iterable<Binding>;
}

/** Kept by a watch of each of the four kinds. */
export class WatchedRbac implements RbacSource {
  readonly #roles: WatchedKind;
  readonly #clusterRoles: WatchedKind;
  readonly #roleBindings: WatchedKind;
  readonly #clusterRoleBindings: WatchedKind;

  constructor(kinds: Kinds, resources: Resources, options: WatchedKindOptions = {}) {
    const watched = (plural: string) => {
      const kind = kinds.findResource(RBAC_GROUP, plural);
      if (kind === undefined) throw new TypeError(`no kind ${plural}.${RBAC_GROUP}`);
      return new WatchedKind(resources.of(kind), options);
    };
    this.#roles = watched('roles');
    this.#clusterRoles = watched('clusterroles');
    this.#roleBindings = watched('rolebindings');
    this.#clusterRoleBindings = watched('clusterrolebindings');
  }

  start(): this {
    for (const kind of this.#all()) kind.start();
    return this;
  }

  stop(): void {
    for (const kind of this.#all()) kind.stop();
  }

  get synced(): boolean {
    return this.#all().every((kind) => kind.synced);
  }

  /** @returns synced, within `ms` */
  async whenSynced(ms: number): Promise<boolean> {
    return (await Promise.all(this.#all().map((kind) => kind.whenSynced(ms)))).every((synced) => synced);
  }

  get bindingsGeneration(): number {
    return this.#roleBindings.generation + this.#clusterRoleBindings.generation;
  }

  role(namespace: string, name: string): Role | undefined {
    return this.#roles.get(namespace, name);
  }
  clusterRole(name: string): Role | undefined {
    return this.#clusterRoles.get('', name);
  }
  clusterRoleBindings(): Iterable<Binding> {
    return this.#clusterRoleBindings.list() as Iterable<Binding>;
  }
  roleBindings(): Iterable<Binding> {
    return this.#roleBindings.list() as Iterable<Binding>;
  }

  #all(): readonly WatchedKind[] {
    return [this.#roles, this.#clusterRoles, this.#roleBindings, this.#clusterRoleBindings];
  }
}
