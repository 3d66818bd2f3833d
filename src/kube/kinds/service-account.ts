import { AGE, age, NAME, nameOf } from './columns.js';
import { defineKind } from './define.js';
import type { Kind } from './kind.js';

export const serviceAccountKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  description: 'ServiceAccount is the name under which pods speak to the API.',
  subresources: [
    {
      name: 'token',
      exchanges: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      verbs: ['create'],
    },
  ],
  deleteReturnsObject: true,
  columns: [NAME, AGE],
  cells: (object, now) => [nameOf(object), age(object, now)],
});
