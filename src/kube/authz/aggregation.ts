/**
 * Keeps cluster roles with an aggregationRule filled: their rules are those of all cluster roles that its selectors
 * match. A small keeper on the watch of cluster roles.
 */
import { isDeepStrictEqual } from 'node:util';
import { labelSelectorOf, matchesLabels } from '../machinery/label-selector.js';
import type { KubeObject } from '../machinery/object.js';
import type { KeeperOptions } from '../rest/keeper.js';
import { Keeper } from '../rest/keeper.js';
import type { WatchedKind } from '../rest/watched-kind.js';
import type { Role } from './rbac-source.js';
import type { PolicyRule } from './rule.js';

export class RoleAggregation {
  readonly #roles: WatchedKind;
  readonly #keeper: Keeper;

  /** @param roles a watch of clusterroles, already started or not */
  constructor(roles: WatchedKind, options: KeeperOptions) {
    this.#roles = roles;
    this.#keeper = new Keeper((name) => this.#fill(name), options);
  }

  start(): this {
    // Whichever role changed, it may have been or become part of any aggregate: there are few of these.
    this.#keeper.follow(this.#roles, () => {
      const names: string[] = [];
      for (const role of this.#roles.list()) if (isAggregate(role)) names.push(role.metadata.name ?? '');
      return names;
    });
    return this;
  }

  stop(): void {
    this.#keeper.stop();
  }

  async #fill(name: string): Promise<void> {
    const role: Role | undefined = this.#roles.get('', name);
    if (role === undefined || !isAggregate(role)) return;
    const rules = aggregatedRules(role, this.#roles.list());
    if (isDeepStrictEqual(role.rules ?? [], rules)) return;
    const { resource } = this.#roles;
    await resource.update(this.#keeper.context, '', name, { ...structuredClone(role), rules }, '');
  }
}

function isAggregate(role: KubeObject): boolean {
  return role.aggregationRule != null;
}

/** The rules of all roles that are meant, each once, roles in the order of their names. */
export function aggregatedRules(aggregate: Role, all: Iterable<Role>): PolicyRule[] {
  const selectors = (aggregate.aggregationRule?.clusterRoleSelectors ?? []).map(labelSelectorOf);
  const roles = [...all].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const rules: PolicyRule[] = [];
  const seen = new Set<string>();
  for (const selector of selectors) {
    for (const role of roles) {
      if (role.metadata.name === aggregate.metadata.name || !matchesLabels(selector, role.metadata.labels)) continue;
      for (const rule of role.rules ?? []) {
        const key = JSON.stringify(rule);
        if (seen.has(key)) continue;
        seen.add(key);
        rules.push(rule);
      }
    }
  }
  return rules;
}
