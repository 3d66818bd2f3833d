/** Starts the keepers that stand in for controllers. */
import type { TokenIssuer } from '../authn/token-issuer.js';
import { RoleAggregation } from '../authz/aggregation.js';
import { RBAC_GROUP } from '../authz/rbac-source.js';
import type { Kinds, ObjectReader } from '../kinds/kind.js';
import type { Resources } from '../rest/resource.js';
import type { CachedReader } from './cached-reader.js';
import { NamespaceContent } from './namespace-content.js';
import { NamespaceFinalizer } from './namespace-finalizer.js';
import { PendingCharges } from './pending-charges.js';
import { QuotaKeeper } from './quota-keeper.js';
import { StorageInUse } from './storage-in-use.js';
import { TokenSecrets } from './token-secrets.js';

export interface KeepersOptions {
  readonly kinds: Kinds;
  readonly resources: Resources;
  readonly cached: CachedReader;
  readonly live: ObjectReader;
  /** PEM of the authority of the server's certificate: what pods find in kube-root-ca.crt. */
  readonly ca: string;
  /** The one that admission was given. */
  readonly pending?: PendingCharges;
  /** False where the namespace controller runs, which empties namespaces over the API. Default true. */
  readonly namespaces?: boolean;
  /** Absent: Secrets of service-account tokens stay empty. */
  readonly tokens?: { readonly issuer: TokenIssuer; readonly audiences: readonly string[] };
  /** Told of what failed and will be tried again. @param keeper its name */
  readonly onError?: (error: unknown, keeper: string, key: string) => void;
}

/** @returns stops them; what they watch belongs to `cached` and stays */
export function startKeepers(options: KeepersOptions): () => void {
  const { kinds, resources, cached, live, ca, tokens, onError, pending = new PendingCharges() } = options;
  const settings = (name: string) => ({
    name,
    onError: (error: unknown, key: string) => onError?.(error, name, key),
  });
  const watched = (group: string, plural: string) => {
    const found = cached.watched(group, plural);
    if (found === undefined) throw new TypeError(`no kind ${plural} to keep`);
    return found;
  };
  const namespaces = watched('', 'namespaces');
  const keepers = [
    new RoleAggregation(watched(RBAC_GROUP, 'clusterroles'), settings('clusterrole-aggregation-controller')),
    new NamespaceContent(cached, ca, settings('service-account-controller')),
    ...(options.namespaces === false
      ? []
      : [new NamespaceFinalizer(kinds, resources, namespaces, settings('namespace-controller'))]),
    new StorageInUse(cached, settings('pvc-protection-controller')),
    new QuotaKeeper(kinds, cached, live, pending, settings('resourcequota-controller')),
    ...(tokens === undefined
      ? []
      : [new TokenSecrets(cached, live, { ...settings('tokens-controller'), ...tokens, ca })]),
  ];
  for (const keeper of keepers) keeper.start();
  return () => {
    for (const keeper of keepers) keeper.stop();
  };
}
