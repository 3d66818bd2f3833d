/** All type tables, and the message that a reference names. */
import { assert } from '../../../util/assert.js';
import { admissionregistrationV1 } from './admissionregistration-v1.js';
import { appsV1 } from './apps-v1.js';
import { authenticationV1 } from './authentication-v1.js';
import { authorizationV1 } from './authorization-v1.js';
import { autoscalingV1 } from './autoscaling-v1.js';
import { autoscalingV2 } from './autoscaling-v2.js';
import { batchV1 } from './batch-v1.js';
import { certificatesV1 } from './certificates-v1.js';
import { coordinationV1 } from './coordination-v1.js';
import { coreV1 } from './core-v1.js';
import { discoveryV1 } from './discovery-v1.js';
import { eventsV1 } from './events-v1.js';
import type { Message } from './line.js';
import { parseLine } from './line.js';
import { metaV1 } from './meta-v1.js';
import { admissionV1, apiextensionsV1, apiregistrationV1, metaMore, metricsV1beta1, nodeV1 } from './more.js';
import { networkingV1 } from './networking-v1.js';
import { policyV1 } from './policy-v1.js';
import { rbacV1 } from './rbac-v1.js';
import { schedulingV1 } from './scheduling-v1.js';
import { storageV1 } from './storage-v1.js';
import type { TypeGroup } from './type-group.js';

export const TYPE_GROUPS: readonly TypeGroup[] = [
  metaV1,
  metaMore,
  coreV1,
  appsV1,
  batchV1,
  autoscalingV1,
  autoscalingV2,
  networkingV1,
  rbacV1,
  policyV1,
  storageV1,
  schedulingV1,
  coordinationV1,
  discoveryV1,
  eventsV1,
  authenticationV1,
  authorizationV1,
  certificatesV1,
  admissionregistrationV1,
  nodeV1,
  metricsV1beta1,
  admissionV1,
  apiextensionsV1,
  apiregistrationV1,
];

const byName = new Map(TYPE_GROUPS.map((group) => [group.name, group]));
const byApiVersion = new Map(TYPE_GROUPS.map((group) => [`${group.group}/${group.version}`, group]));

/** Lines of all tables by reference; a line is parsed when its message is first asked for. */
const lines = new Map<string, string>();
const messages = new Map<string, Message>();

for (const group of TYPE_GROUPS) {
  for (const line of group.table.split('\n')) {
    if (line !== '') lines.set(`${group.name}/${/^\w+/.exec(line)?.[0]}`, line);
  }
}

const SUFFIX = 'List';

/** @param ref `core.v1/Pod`; `core.v1/PodList` is made of it. Undefined if the tables do not have it. */
export function findMessage(ref: string): Message | undefined {
  const known = messages.get(ref);
  if (known !== undefined) return known;
  const group = ref.slice(0, ref.indexOf('/'));
  const line = lines.get(ref);
  const message = line === undefined ? listOf(ref, group) : parseLine(line, group);
  if (message !== undefined) messages.set(ref, message);
  return message;
}

function listOf(ref: string, group: string): Message | undefined {
  const item = ref.slice(0, -SUFFIX.length);
  if (!ref.endsWith(SUFFIX) || !isTopLevel(item)) return undefined;
  const name = item.slice(item.indexOf('/') + 1);
  return parseLine(`${name}${SUFFIX} = 1 metadata meta.v1/ListMeta; 2 items ${name}*!`, group);
}

/** They have metadata of their own and yet are no objects. */
const TEMPLATES: ReadonlySet<string> = new Set([
  'core.v1/PodTemplateSpec',
  'core.v1/PersistentVolumeClaimTemplate',
  'batch.v1/JobTemplateSpec',
]);
/** They are objects without metadata. */
const BARE: ReadonlySet<string> = new Set([
  'meta.v1/DeleteOptions',
  'meta.v1/Status',
  'admission.v1/AdmissionReview',
  'apiextensions.v1/ConversionReview',
]);

/** Does the message stand by itself, with apiVersion and kind? */
export function isTopLevel(ref: string): boolean {
  if (BARE.has(ref)) return true;
  if (TEMPLATES.has(ref)) return false;
  const type = findMessage(ref)?.fields.find((field) => field.name === 'metadata')?.type;
  return type?.of === 'message' && (type.ref === 'meta.v1/ObjectMeta' || type.ref === 'meta.v1/ListMeta');
}

/** `apps.v1/Deployment` of apps, v1 and Deployment; undefined if there is no such message. */
export function refOf(group: string, version: string, kind: string): string | undefined {
  // The options and the status are every group's own.
  if (kind === 'DeleteOptions' || kind === 'Status') return `meta.v1/${kind}`;
  const found = byApiVersion.get(`${group}/${version}`);
  const ref = found === undefined ? undefined : `${found.name}/${kind}`;
  return ref !== undefined && findMessage(ref) !== undefined && isTopLevel(ref) ? ref : undefined;
}

/** @param ref `core.v1/Pod` */
export function groupOf(ref: string): TypeGroup {
  const group = byName.get(ref.slice(0, ref.indexOf('/')));
  assert(group !== undefined, () => `no type table for ${ref}`);
  return group;
}

/** Every message that has a line of its own. */
export function allRefs(): readonly string[] {
  return [...lines.keys()];
}
