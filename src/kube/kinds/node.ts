import type { FieldError } from '../machinery/field-error.js';
import { duplicate, forbiddenField, invalid } from '../machinery/field-error.js';
import { checkLabelValue, checkQualifiedName } from '../machinery/names.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, NAME, NONE, nameOf, text, UNKNOWN, wide } from './columns.js';
import { defineKind } from './define.js';
import { mandatory, oneOf, optional } from './field-rules.js';
import { isCidr } from './ip.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { listOf, same, unset } from './loose.js';
import { TAINT_EFFECTS } from './scheduling-validation.js';

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';

function statusText(node: KubeObject): string {
  const ready = listOf(node.status?.conditions).find((c) => c.type === 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
}

function rolesText(node: KubeObject): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === ROLE_LABEL && value !== '') roles.add(value);
  }
  return roles.size === 0 ? NONE : [...roles].sort().join(',');
}

function addressOf(node: KubeObject, type: string): string {
  return listOf(node.status?.addresses).find((address) => address.type === type)?.address || NONE;
}

function validateTaints(taints: Loose): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  listOf(taints).forEach((taint, i) => {
    const field = `spec.taints[${i}]`;
    errors.push(...mandatory(taint.key, `${field}.key`, checkQualifiedName));
    errors.push(...optional(taint.value, `${field}.value`, checkLabelValue));
    errors.push(...oneOf(taint.effect, `${field}.effect`, TAINT_EFFECTS, true));
    const pair = `${taint.key}:${taint.effect}`;
    if (seen.has(pair)) {
      const message = `${duplicate(field, taint).message}: taints must be unique by key and effect pair`;
      errors.push({ ...duplicate(field, taint), message });
    }
    seen.add(pair);
  });
  return errors;
}

export const nodeKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  description: 'Node is a machine that runs pods.',
  storageDir: 'minions',
  hasStatus: true,
  subresources: [
    {
      name: 'proxy',
      exchanges: { group: '', version: 'v1', kind: 'NodeProxyOptions' },
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
    },
  ],
  // A kubelet brings the state of its node along when it registers it.
  keepsStatusOnCreate: true,
  prepareForUpdate(object, old) {
    if (object.spec?.podCIDR === undefined || listOf(old.spec?.podCIDRs).length > 0) return;
    if (listOf(object.spec.podCIDRs).length === 0) object.spec.podCIDRs = [object.spec.podCIDR];
  },
  validate(object) {
    const spec = object.spec ?? {};
    const cidrs = listOf(spec.podCIDRs);
    const errors = validateTaints(spec.taints);
    cidrs.forEach((cidr, i) => {
      const why = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
      if (!isCidr(cidr)) errors.push(invalid(`spec.podCIDRs[${i}]`, cidr, why));
    });
    return errors;
  },
  validateUpdate(object, old) {
    const now = object.spec ?? {};
    const then = old.spec ?? {};
    const errors: FieldError[] = [];
    if (listOf(then.podCIDRs).length > 0 && !same(listOf(now.podCIDRs), then.podCIDRs)) {
      errors.push(forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
    }
    if (!unset(then.providerID) && now.providerID !== then.providerID) {
      errors.push(forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'));
    }
    return errors;
  },
  fieldSelectors: { 'spec.unschedulable': (node) => String(node.spec?.unschedulable === true) },
  columns: [
    NAME,
    text('Status', 'Whether it takes pods.'),
    text('Roles', 'What it is for, by its labels.'),
    AGE,
    text('Version', 'Of its kubelet.'),
    wide(text('Internal-IP', 'Its address inside of the cluster.')),
    wide(text('External-IP', 'Its address outside of it.')),
    wide(text('OS-Image', 'Its operating system.')),
    wide(text('Kernel-Version', 'And that of the kernel.')),
    wide(text('Container-Runtime', 'What runs its containers.')),
  ],
  cells(node, now) {
    const info = node.status?.nodeInfo ?? {};
    return [
      nameOf(node),
      statusText(node),
      rolesText(node),
      age(node, now),
      info.kubeletVersion ?? '',
      addressOf(node, 'InternalIP'),
      addressOf(node, 'ExternalIP'),
      info.osImage || UNKNOWN,
      info.kernelVersion || UNKNOWN,
      info.containerRuntimeVersion || UNKNOWN,
    ];
  },
});
