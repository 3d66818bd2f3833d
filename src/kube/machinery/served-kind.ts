/** What discovery and OpenAPI must know of a kind; a Kind is one. */
import type { GroupVersion } from './object.js';
import { apiVersionOf } from './object.js';
import type { Schema } from './schema.js';

export interface ServedSubresource {
  readonly name: string;
  readonly exchanges?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly string[];
}

export interface ServedKind extends GroupVersion {
  readonly kind: string;
  /** Default kind + 'List'. */
  readonly listKind?: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  /** Default all eight. */
  readonly verbs?: readonly string[];
  readonly schema: Schema;
  /** One line for `kubectl explain`. */
  readonly description?: string;
  readonly subresources?: readonly ServedSubresource[];
  readonly noStrategicPatch?: boolean;
}

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';
export const ALL_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

export function verbsOf(kind: ServedKind): readonly string[] {
  return kind.verbs ?? ALL_VERBS;
}

/** `api/v1`, `apis/apps/v1`: where a group version is found, without slashes at its ends. */
export function pathOf(version: GroupVersion): string {
  return `${version.group === '' ? 'api' : 'apis'}/${apiVersionOf(version)}`;
}

/** The order decides which group wins for a name that several have, and that of `kubectl get all`. */
const GROUPS: readonly string[] = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'metrics.k8s.io',
];

/** Built-in groups as above, others by name after them. */
export function compareGroups(a: string, b: string): number {
  const [i, j] = [GROUPS.indexOf(a), GROUPS.indexOf(b)];
  if (i >= 0 && j >= 0) return i - j;
  if (i >= 0 || j >= 0) return i >= 0 ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const STAGES = ['alpha', 'beta', undefined];

/** The preferred one first: v2, v1, v1beta2, v1beta1, v1alpha1, then others by name. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [VERSION.exec(a), VERSION.exec(b)];
  if (x === null || y === null) return x === y ? (a < b ? -1 : a > b ? 1 : 0) : x === null ? 1 : -1;
  const stage = STAGES.indexOf(y[2]) - STAGES.indexOf(x[2]);
  return stage || Number(y[1]) - Number(x[1]) || Number(y[3] ?? 0) - Number(x[3] ?? 0);
}
