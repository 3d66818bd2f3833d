import type { FieldError } from '../machinery/field-error.js';
import { checkQualifiedName } from '../machinery/names.js';
import { AGE, age, NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import { mandatory } from './field-rules.js';
import type { Kind } from './kind.js';
import { listOf, within } from './loose.js';

const NAME_LABEL = 'kubernetes.io/metadata.name';
const FINALIZER = 'kubernetes';

/** The namespace controller empties spec.finalizers by /finalize when nothing is left in it. */
export const namespaceKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  description: 'A Namespace is a room of its own for names: objects in different ones do not see each other.',
  hasStatus: true,
  subresources: [{ name: 'finalize', verbs: ['update'] }],
  nameRule: 'dns-label',
  setDefaults(object) {
    if (object.metadata.name !== undefined) within(object.metadata, 'labels')[NAME_LABEL] = object.metadata.name;
    within(object, 'status').phase ||= 'Active';
  },
  prepareForCreate(object) {
    object.status = { phase: 'Active' };
    const finalizers = listOf(within(object, 'spec').finalizers);
    object.spec.finalizers = finalizers.includes(FINALIZER) ? finalizers : [...finalizers, FINALIZER];
  },
  prepareForUpdate(object, old) {
    object.spec = { ...object.spec, finalizers: old.spec?.finalizers };
    if (object.spec.finalizers === undefined) delete object.spec.finalizers;
  },
  validate(object) {
    return listOf(object.spec?.finalizers).flatMap((finalizer, i): FieldError[] =>
      mandatory(finalizer, `spec.finalizers[${i}]`, checkQualifiedName),
    );
  },
  fieldSelectors: { 'status.phase': (object) => object.status?.phase ?? '' },
  columns: [NAME, text('Status', 'Active, or Terminating while its content is removed.'), AGE],
  cells: (object, now) => [nameOf(object), object.status?.phase ?? '', age(object, now)],
});
