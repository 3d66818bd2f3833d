/**
 * Brings the default roles and bindings into the store, and what was taken from them back: run at every start. What
 * was added stays, and so does an object whose annotation says `autoupdate: "false"`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Kinds } from '../kinds/kind.js';
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import { serverContext } from '../rest/keeper.js';
import type { Resource, Resources } from '../rest/resource.js';
import { bootstrapBindings, bootstrapRoles } from './bootstrap-bindings.js';
import { bootstrapClusterRoles } from './bootstrap-roles.js';
import type { Binding, Role, Subject } from './rbac-source.js';
import { RBAC_GROUP } from './rbac-source.js';
import { notCovered } from './rule.js';

const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const AT_A_TIME = 16;

/** The namespace kube-system has to be there. @returns how many objects were written */
export async function bootstrapRbac(kinds: Kinds, resources: Resources): Promise<number> {
  const clusterRoles = bootstrapClusterRoles().map(({ name, labels, rules, gathers }) => {
    const role: Role = shell('ClusterRole', name, '', labels);
    if (gathers === undefined) role.rules = structuredClone(rules) as NonNullable<Role['rules']>;
    else role.aggregationRule = { clusterRoleSelectors: [{ matchLabels: { [gathers]: 'true' } }] };
    return role;
  });
  const roles = bootstrapRoles().map(({ name, namespace, rules }) => ({
    ...shell('Role', name, namespace, {}),
    rules: structuredClone(rules),
  }));
  const bindings = bootstrapBindings().map(({ name, namespace, roleRef, subjects }) => ({
    ...shell(namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding', name, namespace, {}),
    roleRef,
    subjects: structuredClone(subjects),
  }));
  const ofCluster = (object: KubeObject) => object.metadata.namespace === undefined;
  const steps: readonly (readonly [string, KubeObject[], Repair])[] = [
    ['clusterroles', clusterRoles, repairRole],
    ['roles', roles as KubeObject[], repairRole],
    ['clusterrolebindings', bindings.filter(ofCluster) as KubeObject[], repairBinding],
    ['rolebindings', bindings.filter((object) => !ofCluster(object)) as KubeObject[], repairBinding],
  ];
  let written = 0;
  for (const [plural, wanted, repair] of steps) {
    const kind = kinds.findResource(RBAC_GROUP, plural);
    if (kind === undefined) throw new TypeError(`no kind ${plural}.${RBAC_GROUP}`);
    written += await reconcile(resources.of(kind), wanted, repair);
  }
  return written;
}

/** What `actual` should be instead, or null if it will do. `recreate`: what has to change cannot be. */
type Repair = (actual: KubeObject, wanted: KubeObject) => { object: KubeObject; recreate?: boolean } | null;

function shell(kind: string, name: string, namespace: string, labels: Readonly<Record<string, string>>): KubeObject {
  return {
    apiVersion: `${RBAC_GROUP}/v1`,
    kind,
    metadata: {
      name,
      ...(namespace === '' ? {} : { namespace }),
      labels: { ...LABELS, ...labels },
      annotations: { [AUTOUPDATE]: 'true' },
    },
  };
}

async function reconcile(resource: Resource, wanted: readonly KubeObject[], repair: Repair): Promise<number> {
  const key = ({ metadata }: KubeObject) => `${metadata.namespace ?? ''}/${metadata.name}`;
  const { items } = await resource.list({ namespace: '' });
  const actual = new Map(items.map((object) => [key(object), object]));
  let written = 0;
  const one = async (object: KubeObject) => {
    if (await reconcileOne(resource, actual.get(key(object)), object, repair)) written++;
  };
  for (let i = 0; i < wanted.length; i += AT_A_TIME) await Promise.all(wanted.slice(i, i + AT_A_TIME).map(one));
  return written;
}

async function reconcileOne(
  resource: Resource,
  actual: KubeObject | undefined,
  wanted: KubeObject,
  repair: Repair,
): Promise<boolean> {
  const context = serverContext('kube-apiserver');
  const { name = '', namespace = '' } = wanted.metadata;
  try {
    if (actual === undefined) {
      await resource.create(context, namespace, wanted);
      return true;
    }
    if (actual.metadata.annotations?.[AUTOUPDATE] === 'false') return false;
    const repaired = repair(actual, wanted);
    if (repaired === null) return false;
    if (repaired.recreate === true) {
      await resource.delete(context, namespace, name, {});
      await resource.create(context, namespace, repaired.object);
    } else {
      await resource.update(context, namespace, name, repaired.object, '');
    }
    return true;
  } catch (error) {
    // Another server starts at the same time and was first: it wrote the same.
    if (error instanceof ApiError && error.code === 409) return false;
    throw error;
  }
}

const repairRole: Repair = (actual, wanted) => {
  const object: Role = withMetadata(actual, wanted);
  const { aggregationRule } = wanted;
  if (aggregationRule === undefined) {
    const rules = actual.rules ?? [];
    const lacking = (wanted.rules ?? []).filter((rule: NonNullable<Role['rules']>[number]) => {
      return notCovered(rules, [rule]).length > 0;
    });
    object.rules = [...rules, ...lacking];
  } else {
    const has = actual.aggregationRule?.clusterRoleSelectors ?? [];
    const lacking = aggregationRule.clusterRoleSelectors.filter(
      (selector: unknown) => !has.some((other: unknown) => isDeepStrictEqual(other, selector)),
    );
    object.aggregationRule = { clusterRoleSelectors: [...has, ...lacking] };
  }
  return isDeepStrictEqual(object, actual) ? null : { object };
};

const repairBinding: Repair = (actual, wanted) => {
  const object = withMetadata(actual, wanted) as Binding;
  const { roleRef, subjects } = wanted as Binding;
  const sameRole = actual.roleRef?.kind === roleRef.kind && actual.roleRef?.name === roleRef.name;
  const has: Subject[] = actual.subjects ?? [];
  const lacking = (subjects ?? []).filter((subject) => !has.some((other) => sameSubject(other, subject)));
  object.subjects = [...has, ...lacking];
  if (!sameRole) {
    const { labels, annotations } = object.metadata;
    const metadata = { ...wanted.metadata, ...(labels && { labels }), ...(annotations && { annotations }) };
    return { object: { ...object, metadata, roleRef }, recreate: true };
  }
  return isDeepStrictEqual(object, actual) ? null : { object };
};

function withMetadata(actual: KubeObject, { metadata }: KubeObject): KubeObject {
  const object = structuredClone(actual);
  object.metadata.labels = { ...metadata.labels, ...object.metadata.labels };
  object.metadata.annotations = { ...metadata.annotations, ...object.metadata.annotations };
  return object;
}

function sameSubject(a: Subject, b: Subject): boolean {
  return a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');
}
