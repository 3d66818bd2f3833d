import { invalid } from '../machinery/field-error.js';
import { checkDnsLabel, validateLabels } from '../machinery/names.js';
import { AGE, age, NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import { mandatory } from './field-rules.js';
import type { Kind } from './kind.js';
import { validateTolerations } from './scheduling-validation.js';

export const runtimeClassKind: Kind = defineKind({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
  allowUnconditionalUpdate: false,
  description: 'RuntimeClass names a way in which nodes can run containers.',
  validate: (object) => [
    ...mandatory(object.handler, 'handler', checkDnsLabel),
    ...validateLabels(object.scheduling?.nodeSelector, 'scheduling.nodeSelector'),
    ...validateTolerations(object.scheduling?.tolerations, 'scheduling.tolerations'),
  ],
  validateUpdate: (object, old) =>
    object.handler === old.handler ? [] : [invalid('handler', object.handler, 'field is immutable')],
  columns: [NAME, text('Handler', 'What the container runtime calls it.'), AGE],
  cells: (object, now) => [nameOf(object), object.handler ?? '', age(object, now)],
});
