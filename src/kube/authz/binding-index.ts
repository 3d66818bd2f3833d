/** Which bindings name a user, without going through all of them at every request. */
import { serviceAccountOf } from '../authn/service-account.js';
import type { UserInfo } from '../machinery/request.js';
import type { Binding, RbacSource, Subject } from './rbac-source.js';

export interface Match {
  readonly binding: Binding;
  /** The first subject of the binding that is the user. */
  readonly subject: Subject;
}

/** Made anew when bindings have changed: the first request after a change pays. */
export class BindingIndex {
  readonly #source: RbacSource;
  #generation = -1;
  /** Of cluster role bindings under '', of role bindings under their namespace; then by subject. */
  #byNamespace = new Map<string, Map<string, Match[]>>();

  constructor(source: RbacSource) {
    this.#source = source;
  }

  /** @param namespace '' for the cluster role bindings */
  matches(user: UserInfo, namespace: string): Match[] {
    if (this.#generation !== this.#source.bindingsGeneration) this.#build();
    const bySubject = this.#byNamespace.get(namespace);
    if (bySubject === undefined) return [];
    const found = [...(bySubject.get(`User ${user.username}`) ?? [])];
    for (const group of user.groups) found.push(...(bySubject.get(`Group ${group}`) ?? []));
    const account = serviceAccountOf(user.username);
    if (account !== null) found.push(...(bySubject.get(accountKey(account.namespace, account.name)) ?? []));
    return found;
  }

  #build(): void {
    this.#generation = this.#source.bindingsGeneration;
    this.#byNamespace = new Map();
    for (const binding of this.#source.clusterRoleBindings()) this.#add('', binding);
    for (const binding of this.#source.roleBindings()) this.#add(binding.metadata.namespace ?? '', binding);
  }

  #add(namespace: string, binding: Binding): void {
    let bySubject = this.#byNamespace.get(namespace);
    if (bySubject === undefined) this.#byNamespace.set(namespace, (bySubject = new Map()));
    for (const subject of binding.subjects ?? []) {
      const key =
        subject.kind === 'ServiceAccount'
          ? accountKey(subject.namespace ?? namespace, subject.name)
          : `${subject.kind} ${subject.name}`;
      const matches = bySubject.get(key);
      if (matches === undefined) bySubject.set(key, [{ binding, subject }]);
      else matches.push({ binding, subject });
    }
  }
}

function accountKey(namespace: string, name: string): string {
  return `ServiceAccount ${namespace}/${name}`;
}
