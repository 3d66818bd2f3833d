import type { FieldError } from '../machinery/field-error.js';
import { invalid, notSupported, required } from '../machinery/field-error.js';
import { CREATE_ONLY, defineKind } from './define.js';
import type { Kind } from './kind.js';
import { unset } from './loose.js';

/** Stores nothing: it writes a node's name into a pod. */
export const bindingKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  namespaced: true,
  verbs: CREATE_ONLY,
  description: 'Binding puts a pod on a node. Schedulers send it.',
  validate(object): FieldError[] {
    const target = object.target ?? {};
    if (!unset(target.kind) && target.kind !== 'Node')
      return [notSupported('target.kind', target.kind, ['Node', '<empty>'])];
    if (unset(target.name)) return [required('target.name')];
    return /[/%]/.test(target.name) ? [invalid('target.name', target.name, "may not contain '/'")] : [];
  },
});
