/** Events of the core group and of events.k8s.io: two forms of the same objects, stored in the older one. */
import { ageSince } from '../machinery/age.js';
import type { FieldError } from '../machinery/field-error.js';
import { invalid } from '../machinery/field-error.js';
import type { KubeObject } from '../machinery/object.js';
import { NAME, nameOf, text, UNKNOWN, wide } from './columns.js';
import type { KindDefinition } from './define.js';
import { defineKind } from './define.js';
import type { Cell, Kind } from './kind.js';
import type { Loose } from './loose.js';
import { copy, unset } from './loose.js';

const TTL_SECONDS = 3600;

/** Members that are named differently: in core, and in events.k8s.io. */
const RENAMED = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
] as const;

function rename(event: KubeObject, apiVersion: string, from: 0 | 1): KubeObject {
  const renamed: KubeObject = { ...copy(event), apiVersion };
  for (const names of RENAMED) {
    const value = renamed[names[from]];
    delete renamed[names[from]];
    if (value !== undefined) renamed[names[1 - from] as string] = value;
  }
  return renamed;
}

export function eventToCore(event: KubeObject): KubeObject {
  return rename(event, 'v1', 1);
}

export function eventFromCore(event: KubeObject): KubeObject {
  return rename(event, 'events.k8s.io/v1', 0);
}

function subobject(reference: Loose): string {
  return reference?.fieldPath ?? '';
}

function cells(event: KubeObject, now: number): Cell[] {
  const { involvedObject: about, source, series } = event;
  const first = event.firstTimestamp || event.eventTime;
  const last = series?.lastObservedTime || event.lastTimestamp || first;
  const component = source?.component || event.reportingComponent || '';
  const host = source?.host || (source?.component ? '' : event.reportingInstance) || '';
  return [
    last ? ageSince(last, now) : UNKNOWN,
    event.type ?? '',
    event.reason ?? '',
    `${about?.kind?.toLowerCase() ?? ''}/${about?.name ?? ''}`,
    subobject(about),
    host === '' ? component : `${component}, ${host}`,
    (event.message ?? '').trim(),
    first ? ageSince(first, now) : UNKNOWN,
    String(series?.count ?? (event.count || 1)),
    nameOf(event),
  ];
}

/** An event about what is in no namespace may stand in `default`. */
function validateCore(event: KubeObject): FieldError[] {
  const namespace = event.metadata.namespace ?? '';
  const about = event.involvedObject?.namespace ?? '';
  const homes = about === '' ? ['', 'default', 'kube-system'] : [about];
  if (homes.includes(namespace)) return [];
  return [invalid('involvedObject.namespace', about, 'does not match event.namespace')];
}

/** The newer form asks for more. */
function validateNew(event: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const need = (member: string) => {
    if (unset(event[member])) errors.push({ type: 'FieldValueRequired', field: member, message: 'Required value' });
  };
  if (unset(event.eventTime)) return validateCore(eventToCore(event));
  for (const member of ['reportingController', 'reportingInstance', 'action', 'reason']) need(member);
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(invalid('type', event.type ?? '', 'must be Normal or Warning'));
  }
  return [...errors, ...validateCore(eventToCore(event))];
}

const FIELDS = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const;

function fieldSelectors(
  member: string,
  component: string,
  source: string,
): Record<string, (event: KubeObject) => string> {
  return {
    ...Object.fromEntries(FIELDS.map((f) => [`${member}.${f}`, (event: KubeObject) => event[member]?.[f] ?? ''])),
    reason: (event) => event.reason ?? '',
    [component]: (event) => event[component] ?? '',
    source: (event) => event[source]?.component || event[component] || '',
    type: (event) => event.type ?? '',
  };
}

const common = {
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  ttlSeconds: TTL_SECONDS,
  allowCreateOnUpdate: true,
  garbageCollected: false,
  columns: [
    text('Last Seen', 'When it happened the last time.'),
    text('Type', 'Normal or Warning.'),
    text('Reason', 'What happened, in a word.'),
    text('Object', 'To what.'),
    wide(text('Subobject', 'To which part of it.')),
    wide(text('Source', 'Who tells.')),
    text('Message', 'What happened, for people.'),
    wide(text('First Seen', 'When it happened the first time.')),
    wide(text('Count', 'How often it happened.')),
    wide(NAME),
  ],
} satisfies Partial<KindDefinition>;

export const eventKind: Kind = defineKind({
  ...common,
  group: '',
  description: 'Event tells that something happened to an object. It is forgotten after an hour.',
  validate: validateCore,
  fieldSelectors: fieldSelectors('involvedObject', 'reportingComponent', 'source'),
  cells,
});

export const newEventKind: Kind = defineKind({
  ...common,
  group: 'events.k8s.io',
  description: 'Event tells that something happened to an object; the newer form of the core Event.',
  storedApiVersion: 'v1',
  toStored: eventToCore,
  fromStored: eventFromCore,
  validate: validateNew,
  fieldSelectors: fieldSelectors('regarding', 'reportingController', 'deprecatedSource'),
  cells: (event, now) => cells(eventToCore(event), now),
});
