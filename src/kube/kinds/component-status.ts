import type { KubeObject } from '../machinery/object.js';
import { NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { listOf } from './loose.js';

function healthy(object: KubeObject): Loose {
  return listOf(object.conditions).find((c) => c.type === 'Healthy');
}

export const componentStatusKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  shortNames: ['cs'],
  namespaced: false,
  verbs: ['get', 'list'],
  description: 'ComponentStatus tells how a part of the control plane is. Deprecated: ask /readyz.',
  columns: [NAME, text('Status', 'Healthy or not.'), text('Message', 'What it says.'), text('Error', 'What is wrong.')],
  cells(object) {
    const { status, message, error } = healthy(object) ?? {};
    const word = status === 'True' ? 'Healthy' : status === 'False' ? 'Unhealthy' : 'Unknown';
    return [nameOf(object), word, message ?? '', error ?? ''];
  },
});
