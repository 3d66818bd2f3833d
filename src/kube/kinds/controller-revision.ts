import type { FieldError } from '../machinery/field-error.js';
import { invalid, required } from '../machinery/field-error.js';
import type { KubeObject } from '../machinery/object.js';
import { parseApiVersion } from '../machinery/object.js';
import { AGE, age, NAME, NONE, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import { IMMUTABLE, notNegative } from './field-rules.js';
import type { Kind } from './kind.js';
import { same } from './loose.js';

/** `statefulset.apps/web` */
function controllerText(object: KubeObject): string {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  if (owner === undefined) return NONE;
  const { group } = parseApiVersion(owner.apiVersion);
  return `${owner.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${owner.name}`;
}

export const controllerRevisionKind: Kind = defineKind({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  namespaced: true,
  description: 'ControllerRevision is a former state of a StatefulSet or DaemonSet, kept to go back to.',
  validate: (object): FieldError[] => [
    ...notNegative(object, '', 'revision').map((e) => ({ ...e, field: 'revision' })),
    ...(object.data === undefined || object.data === null ? [required('data', 'data is mandatory')] : []),
  ],
  validateUpdate: (object, old) => (same(object.data, old.data) ? [] : [invalid('data', object.data, IMMUTABLE)]),
  columns: [NAME, text('Controller', 'Whose state it is.'), text('Revision', 'Its number; higher is later.'), AGE],
  cells: (object, now) => [nameOf(object), controllerText(object), String(object.revision ?? 0), age(object, now)],
});
