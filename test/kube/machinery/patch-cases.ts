/** Patches with what becomes of them: an object, or the start of a refusal. The real kubectl agrees with each. */
import type { LocalPatchType } from './kubectl-local.js';

export interface PatchCase {
  readonly name: string;
  readonly type: LocalPatchType;
  readonly object: any;
  readonly patch: any;
  /** Absent where only agreement with kubectl is asked. */
  readonly result?: any;
  /** Known not to be what kubectl does. */
  readonly differs?: boolean;
  /** The refusal's text for strategic patches; for the other types any. */
  readonly error?: string;
}

const pod = (spec: object, metadata: object = {}): any => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', ...metadata },
  spec,
});
const containers = (...names: string[]): any[] => names.map((name) => ({ name, image: `${name}:1` }));
const named = (...names: string[]): any[] => names.map((name) => ({ name }));
const two = pod({ containers: containers('c', 'd') });
const many = pod({ containers: containers('a', 'b', 'c', 'd', 'e') });
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a' },
  spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } }, template: { spec: two.spec } },
};
const volumes = pod({
  containers: [],
  volumes: [
    { name: 'v', emptyDir: {} },
    { name: 'w', hostPath: { path: '/x' } },
  ],
});
const finalized = pod({ containers: [] }, { finalizers: ['x', 'y', 'z'] });

const strategic = (name: string, object: any, patch: any, error?: string): PatchCase => ({
  name,
  type: 'strategic',
  object,
  patch,
  ...(error === undefined ? {} : { error }),
});
const json = (name: string, patch: any, error?: string, object: any = two): PatchCase => ({
  name,
  type: 'json',
  object,
  patch,
  ...(error === undefined ? {} : { error }),
});
const merge = (name: string, patch: any, object: any = two): PatchCase => ({ name, type: 'merge', object, patch });

export const PATCH_CASES: readonly PatchCase[] = [
  {
    ...strategic('an image by name', two, { spec: { containers: [{ name: 'd', image: 'z' }] } }),
    result: pod({
      containers: [
        { name: 'd', image: 'z' },
        { name: 'c', image: 'c:1' },
      ].reverse(),
    }),
  },
  {
    ...strategic('a null removes', two, { spec: { containers: [{ name: 'c', image: null }] } }),
    result: pod({ containers: [{ name: 'c' }, { name: 'd', image: 'd:1' }] }),
  },
  {
    ...strategic('order as kubectl set image sends it', two, {
      spec: { '$setElementOrder/containers': named('d', 'c'), containers: [{ name: 'c', image: 'q' }] },
    }),
    result: pod({
      containers: [
        { name: 'd', image: 'd:1' },
        { name: 'c', image: 'q' },
      ],
    }),
  },
  strategic('order alone', two, { spec: { '$setElementOrder/containers': named('d', 'c') } }),
  strategic('order of some, others keep their place', many, {
    spec: { '$setElementOrder/containers': named('e', 'b'), containers: [{ name: 'b', image: 'q' }] },
  }),
  strategic('order with new items', many, {
    spec: {
      '$setElementOrder/containers': named('n', 'c', 'm', 'a'),
      containers: [
        { name: 'n', image: 'n' },
        { name: 'm', image: 'm' },
      ],
    },
  }),
  strategic('items of the patch in its order', many, { spec: { containers: [{ name: 'd' }, { name: 'b' }] } }),
  strategic('new items go where the patch has them', many, {
    spec: {
      containers: [
        { name: 'n', image: 'n' },
        { name: 'c', image: 'q' },
      ],
    },
  }),
  strategic('an item deleted and its order', many, {
    spec: {
      '$setElementOrder/containers': named('a', 'b', 'd', 'e'),
      containers: [{ name: 'c', $patch: 'delete' }],
    },
  }),
  strategic(
    'an item of the patch that the order lacks',
    two,
    {
      spec: { '$setElementOrder/containers': named('c'), containers: named('d') },
    },
    "The order in patch list:\n[map[name:d]]\n doesn't match $setElementOrder list:\n[map[name:c]]\n",
  ),
  strategic(
    'items against the order',
    two,
    {
      spec: { '$setElementOrder/containers': named('c', 'd'), containers: named('d', 'c') },
    },
    'The order in patch list:',
  ),
  strategic(
    'an order of no field',
    two,
    { spec: { '$setElementOrder/bogus': named('c') } },
    'unable to find api field in struct PodSpec for the json field "bogus"',
  ),
  strategic('delete an item that is not there', two, { spec: { containers: [{ name: 'x', $patch: 'delete' }] } }),
  strategic('delete all items', two, {
    spec: { containers: named('c', 'd').map((c) => ({ ...c, $patch: 'delete' })) },
  }),
  strategic('delete in a list that is not there', two, { spec: { volumes: [{ name: 'c', $patch: 'delete' }] } }),
  strategic('replace a list', many, { spec: { containers: [{ $patch: 'replace' }, { name: 'z' }] } }),
  strategic('replace a list by nothing', many, { spec: { containers: [{ $patch: 'replace' }] } }),
  strategic(
    'merge a list in words',
    two,
    { spec: { containers: [{ name: 'c', $patch: 'merge' }] } },
    'merging lists cannot yet be specified in the patch',
  ),
  strategic(
    'an unknown directive in a list',
    two,
    { spec: { containers: [{ name: 'c', $patch: 'x' }] } },
    'unknown patch type: x in map: map[$patch:x name:c]',
  ),
  strategic(
    'an unknown directive',
    two,
    { metadata: { $patch: 'merge', labels: { a: 'b' } } },
    'unknown patch type: merge in map: map[$patch:merge labels:map[a:b]]',
  ),
  strategic(
    'an item without its key',
    two,
    { spec: { containers: [{ image: 'z' }] } },
    'map: map[image:z] does not contain declared merge key: name',
  ),
  strategic(
    'a deletion without its key',
    two,
    { spec: { containers: [{ $patch: 'delete', image: 'z' }] } },
    'map: map[$patch:delete image:z] does not contain declared merge key: name',
  ),
  strategic('replace an object', pod({ containers: [], nodeSelector: { a: 'b', c: 'd' } }), {
    spec: { nodeSelector: { $patch: 'replace', e: 'f' } },
  }),
  strategic('replace an object that is not there', two, { spec: { nodeSelector: { $patch: 'replace', e: 'f' } } }),
  strategic('delete an object', pod({ containers: [], nodeSelector: { a: 'b' } }), {
    spec: { nodeSelector: { $patch: 'delete' } },
  }),
  strategic('nulls in what is new', two, {
    spec: { nodeSelector: { a: null, b: 'c' }, securityContext: { x: { y: null } } },
  }),
  strategic('a label removed and one added', pod({ containers: [] }, { labels: { a: 'b', c: 'd' } }), {
    metadata: { labels: { a: null, e: 'f' } },
  }),
  strategic('retain keys of a volume', volumes, {
    spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'secret'], secret: { secretName: 's' } }] },
  }),
  strategic(
    'retain keys that do not fit',
    volumes,
    {
      spec: { volumes: [{ name: 'v', $retainKeys: ['name'], secret: { secretName: 's' } }] },
    },
    'invalid patch format of retainKeys',
  ),
  strategic('retain keys and a null', volumes, {
    spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'secret'], emptyDir: null, secret: {} }] },
  }),
  strategic('retain keys of a strategy', deployment, {
    spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
  }),
  {
    ...strategic('retain keys of what is new', pod({ containers: [] }), {
      spec: { volumes: [{ name: 'n', $retainKeys: ['name', 'secret'], secret: { secretName: 's' } }] },
    }),
    // kubectl leaves $retainKeys standing in a new item, where decoding would refuse it.
    result: pod({ containers: [], volumes: [{ name: 'n', secret: { secretName: 's' } }] }),
    differs: true,
  },
  strategic('a deep image', deployment, {
    spec: {
      template: { spec: { '$setElementOrder/containers': named('c', 'd'), containers: [{ name: 'd', image: 'q' }] } },
    },
  }),
  strategic('finalizers unite', finalized, { metadata: { finalizers: ['z', 'a', 'a', 'x'] } }),
  strategic('finalizers removed', finalized, { metadata: { '$deleteFromPrimitiveList/finalizers': ['y', 'q'] } }),
  strategic('finalizers in an order', finalized, {
    metadata: { '$setElementOrder/finalizers': ['z', 'n', 'x'], finalizers: ['n'] },
  }),
  strategic('finalizers removed and in an order', finalized, {
    metadata: { '$deleteFromPrimitiveList/finalizers': ['x'], '$setElementOrder/finalizers': ['z', 'y'] },
  }),
  strategic('finalizers where there are none', two, { metadata: { finalizers: ['b', 'a', 'b'] } }),
  strategic('finalizers set to null', finalized, { metadata: { finalizers: null } }),
  strategic('a list without marks is replaced', pod({ containers: [], tolerations: [{ key: 'a' }] }), {
    spec: { tolerations: [{ key: 'b' }] },
  }),
  strategic(
    'ports by number alone',
    pod({ containers: [{ name: 'c', ports: [{ containerPort: 53, protocol: 'UDP' }] }] }),
    {
      spec: { containers: [{ name: 'c', ports: [{ containerPort: 53, protocol: 'TCP' }, { containerPort: 80 }] }] },
    },
  ),
  strategic(
    'environment',
    pod({
      containers: [
        {
          name: 'c',
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '2' },
          ],
        },
      ],
    }),
    {
      spec: {
        containers: [
          {
            name: 'c',
            '$setElementOrder/env': [{ name: 'C' }, { name: 'A' }],
            env: [
              { name: 'C', value: '3' },
              { name: 'B', $patch: 'delete' },
            ],
          },
        ],
      },
    },
  ),
  strategic('a scalar over a list', two, { spec: { containers: 'x' } }),
  strategic('a list over a scalar', two, { spec: { containers: [{ name: 'c', image: ['x'] }] } }),
  strategic('an unknown member', two, { spec: { bogus: { a: [1, null, { b: null }] } } }),
  strategic(
    'conditions by type',
    { ...two, status: { conditions: [{ type: 'Ready', status: 'False' }] } },
    {
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'X', status: 'True' },
        ],
      },
    },
  ),
  strategic('an empty patch', two, {}),
  strategic('an empty list into a list', two, { spec: { containers: [] } }),
  strategic('an empty list where there is none', two, { spec: { volumes: [] } }),

  json('replace', [{ op: 'replace', path: '/spec/containers/0/image', value: 'z' }]),
  json('add to the end', [{ op: 'add', path: '/spec/containers/-', value: { name: 'z' } }]),
  json('add in front', [{ op: 'add', path: '/spec/containers/0', value: { name: 'z' } }]),
  json('add counted from the end', [{ op: 'add', path: '/spec/containers/-1', value: { name: 'z' } }]),
  json('add beyond the end', [{ op: 'add', path: '/spec/containers/3', value: { name: 'z' } }], ''),
  json('add to a missing parent', [{ op: 'add', path: '/spec/a/b', value: 1 }], ''),
  json('add to the whole', [{ op: 'add', path: '', value: {} }], ''),
  json('add without a value', [{ op: 'add', path: '/metadata/x' }], ''),
  json('add a null', [{ op: 'add', path: '/metadata/x', value: null }]),
  json('remove', [{ op: 'remove', path: '/spec/containers/0' }]),
  json('remove counted from the end', [{ op: 'remove', path: '/spec/containers/-1' }]),
  json('remove what is not there', [{ op: 'remove', path: '/spec/x' }], ''),
  json('replace what is not there', [{ op: 'replace', path: '/spec/x', value: 1 }], ''),
  json('replace the whole', [{ op: 'replace', path: '', value: { apiVersion: 'v1', kind: 'Pod' } }]),
  json('move', [{ op: 'move', from: '/spec/containers/0', path: '/spec/containers/1' }]),
  json('move into itself', [{ op: 'move', from: '/metadata', path: '/metadata/x' }], ''),
  json('copy', [{ op: 'copy', from: '/spec/containers/0', path: '/spec/containers/-' }]),
  json('copy what is not there', [{ op: 'copy', from: '/spec/x', path: '/spec/y' }], ''),
  json('test that holds', [{ op: 'test', path: '/spec/containers/1/name', value: 'd' }]),
  json('test that fails', [{ op: 'test', path: '/spec/containers/1/name', value: 'c' }], ''),
  json('test of a missing member against null', [{ op: 'test', path: '/spec/x', value: null }]),
  json('test below a missing member', [{ op: 'test', path: '/spec/x/y', value: null }], ''),
  json('escapes', [
    { op: 'add', path: '/metadata/annotations', value: {} },
    { op: 'add', path: '/metadata/annotations/a~1b~0c', value: 'x' },
  ]),
  json('an unknown operation', [{ op: 'bogus', path: '/spec' }], ''),
  json('an index with zeros', [{ op: 'test', path: '/spec/containers/01/name', value: 'd' }]),
  json('a path without a slash in front', [{ op: 'add', path: 'x/labels', value: {} }]),
  json('a null in the way', [
    { op: 'add', path: '/metadata/x', value: null },
    { op: 'replace', path: '/metadata/x', value: 1 },
  ]),
  json('remove a null', [
    { op: 'add', path: '/metadata/x', value: null },
    { op: 'remove', path: '/metadata/x' },
  ]),

  merge('objects merge, lists do not', { spec: { containers: [{ name: 'z' }] }, metadata: { labels: { a: 'b' } } }),
  merge('null removes', { metadata: { name: null }, spec: { nothing: null } }),
  merge('nulls below what is new', { spec: { nodeSelector: { a: null, b: { c: null } } } }),
  merge('nulls in lists', { metadata: { finalizers: ['a', null, { a: null, b: 1 }, [null, { c: null }]] } }),
  merge('an object over a scalar', { metadata: { name: { a: { b: null, c: 1 } } } }),
  merge('a scalar over an object', { spec: 5 }),
];
