import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { fitMessage, preemptionMessage } from '../../../src/kube/scheduler/fit-error.js';
import { podInfo } from '../../../src/kube/scheduler/pod-info.js';
import { node, outcome, pod, viewOf } from './world.js';

const required = (...terms: object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
});
const SELECTOR = ["1 node(s) didn't match Pod's node affinity/selector"];
const big = node('n', { labels: { disk: 'ssd', size: '5' } });

describe('filters of one node', () => {
  const tainted = (effect: string) => node('n', { spec: { taints: [{ key: 'k', value: 'v', effect }] } });
  const bears = (toleration: object) => pod('p', { spec: { tolerations: [toleration] } });
  const port = (hostPort: number, more: object = {}) =>
    pod(`port-${hostPort}`, { spec: { containers: [{ name: 'c', ports: [{ hostPort, ...more }] }] } });
  const cases: [string, KubeObject, KubeObject, string | string[], KubeObject[]?][] = [
    ['an empty node takes a pod', pod('p'), node('n'), 'n'],
    ['cordoned', pod('p'), node('n', { spec: { unschedulable: true } }), ['1 node(s) were unschedulable']],
    [
      'cordoned, and borne',
      bears({ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }),
      node('n', { spec: { unschedulable: true } }),
      'n',
    ],
    [
      'another node named',
      pod('p', { spec: { nodeName: 'm' } }),
      node('n'),
      ["1 node(s) didn't match the requested node name"],
    ],
    ['tainted NoSchedule', pod('p'), tainted('NoSchedule'), ['1 node(s) had untolerated taint {k: v}']],
    ['tainted NoExecute', pod('p'), tainted('NoExecute'), ['1 node(s) had untolerated taint {k: v}']],
    ['tainted PreferNoSchedule', pod('p'), tainted('PreferNoSchedule'), 'n'],
    ['borne by value', bears({ key: 'k', operator: 'Equal', value: 'v' }), tainted('NoSchedule'), 'n'],
    [
      'another value',
      bears({ key: 'k', value: 'w' }),
      tainted('NoSchedule'),
      ['1 node(s) had untolerated taint {k: v}'],
    ],
    ['borne by key', bears({ key: 'k', operator: 'Exists' }), tainted('NoExecute'), 'n'],
    ['everything borne', bears({ operator: 'Exists' }), tainted('NoExecute'), 'n'],
    [
      'another effect',
      bears({ key: 'k', operator: 'Exists', effect: 'NoExecute' }),
      tainted('NoSchedule'),
      ['1 node(s) had untolerated taint {k: v}'],
    ],
    ['nodeSelector', pod('p', { spec: { nodeSelector: { disk: 'ssd' } } }), big, 'n'],
    ['nodeSelector, no', pod('p', { spec: { nodeSelector: { disk: 'hdd' } } }), big, SELECTOR],
    [
      'In',
      pod('p', { spec: required({ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] }) }),
      big,
      'n',
    ],
    [
      'NotIn',
      pod('p', { spec: required({ matchExpressions: [{ key: 'disk', operator: 'NotIn', values: ['ssd'] }] }) }),
      big,
      SELECTOR,
    ],
    [
      'Gt',
      pod('p', { spec: required({ matchExpressions: [{ key: 'size', operator: 'Gt', values: ['4'] }] }) }),
      big,
      'n',
    ],
    [
      'Lt',
      pod('p', { spec: required({ matchExpressions: [{ key: 'size', operator: 'Lt', values: ['5'] }] }) }),
      big,
      SELECTOR,
    ],
    [
      'DoesNotExist',
      pod('p', { spec: required({ matchExpressions: [{ key: 'gpu', operator: 'DoesNotExist' }] }) }),
      big,
      'n',
    ],
    [
      'the name',
      pod('p', { spec: required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }) }),
      big,
      'n',
    ],
    [
      'one of two terms',
      pod('p', {
        spec: required(
          { matchExpressions: [{ key: 'gpu', operator: 'Exists' }] },
          { matchExpressions: [{ key: 'disk', operator: 'Exists' }] },
        ),
      }),
      big,
      'n',
    ],
    ['an empty term', pod('p', { spec: required({}) }), big, SELECTOR],
    ['a free port', port(81), node('n'), 'n', [port(80)]],
    [
      'a port in use',
      port(80),
      node('n'),
      ["1 node(s) didn't have free ports for the requested pod ports"],
      [port(80)].map((p) => ({ ...p, metadata: { ...p.metadata, uid: 'other' } })),
    ],
    [
      'the same port of UDP',
      port(80, { protocol: 'UDP' }),
      node('n'),
      'n',
      [{ ...port(80), metadata: { name: 'o', namespace: 'default', uid: 'o' } }],
    ],
    ['too much cpu', pod('p', { cpu: '5' }), node('n'), ['1 Insufficient cpu']],
    ['cpu beside others', pod('p', { cpu: '2' }), node('n'), ['1 Insufficient cpu'], [pod('o', { cpu: '2500m' })]],
    ['just enough', pod('p', { cpu: '1500m' }), node('n'), 'n', [pod('o', { cpu: '2500m' })]],
    [
      'cpu and memory',
      pod('p', { cpu: '5', memory: '9Gi' }),
      node('n'),
      ['1 Insufficient cpu', '1 Insufficient memory'],
    ],
    ['too many pods', pod('p'), node('n', { status: { allocatable: { pods: '1' } } }), ['1 Too many pods'], [pod('o')]],
    [
      'a resource the node has not',
      pod('p', { spec: { containers: [{ name: 'c', resources: { requests: { 'x.io/gpu': '1' } } }] } }),
      node('n'),
      ['1 Insufficient x.io/gpu'],
    ],
  ];
  test.each(cases)('%s', (_, one, at, wanted, placed = []) => {
    expect(outcome(one, viewOf([at], { n: placed }))).toEqual(wanted);
  });
});

test('a pod asks for its containers together, or for its neediest init container, and for its overhead', () => {
  const asks = (cpu: string) => ({ resources: { requests: { cpu } } });
  const cpuOf = (spec: object) => podInfo(pod('p', { spec })).requests.get('cpu') ?? 0;
  expect(cpuOf({ containers: [asks('1'), asks('500m')] })).toBe(1500);
  expect(cpuOf({ containers: [asks('1')], initContainers: [asks('3'), asks('2')] })).toBe(3000);
  expect(
    cpuOf({ containers: [asks('1')], initContainers: [{ ...asks('1'), restartPolicy: 'Always' }, asks('3')] }),
  ).toBe(4000);
  expect(cpuOf({ containers: [asks('1')], overhead: { cpu: '250m' } })).toBe(1250);
  expect(podInfo(pod('p')).assumedCpu).toBe(100);
});

describe('pods among pods', () => {
  const zone = (name: string, value: string) => node(name, { labels: { zone: value } });
  const nodes = [zone('a1', 'a'), zone('a2', 'a'), zone('b1', 'b')];
  const term = (topologyKey: string) => ({ labelSelector: { matchLabels: { app: 'web' } }, topologyKey });
  const web = (name: string, spec: object = {}) => pod(name, { labels: { app: 'web' }, spec });
  const near = (key: string) => ({
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(key)] } },
  });
  const far = (key: string) => ({
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(key)] } },
  });

  test('affinity: near to one, alone nowhere, the first of its own kind anywhere', () => {
    expect(outcome(pod('p', { spec: near('zone') }), viewOf(nodes, { b1: [web('w')] }))).toBe('b1');
    expect(outcome(pod('p', { spec: near('zone') }), viewOf(nodes))).toEqual([
      "3 node(s) didn't match pod affinity rules",
    ]);
    expect(typeof outcome(web('p', near('zone')), viewOf(nodes))).toBe('string');
  });

  test('anti-affinity, of the pod and of those that stand there', () => {
    const view = viewOf(nodes, { a1: [web('w')], b1: [web('v')] });
    expect(outcome(web('p', far('kubernetes.io/hostname')), view)).toBe('a2');
    expect(outcome(web('p', far('zone')), view)).toEqual(["3 node(s) didn't match pod anti-affinity rules"]);
    expect(outcome(web('p'), viewOf(nodes, { a1: [web('w', far('zone'))] }))).toBe('b1');
    expect(outcome(web('p'), viewOf([nodes[0]!], { a1: [web('w', far('zone'))] }))).toEqual([
      "1 node(s) didn't satisfy existing pods anti-affinity rules",
    ]);
    expect(outcome(pod('p'), viewOf([nodes[0]!], { a1: [web('w', far('zone'))] }))).toBe('a1');
  });

  test('namespaces of terms', () => {
    const other: KubeObject = {
      ...web('w'),
      metadata: { name: 'w', namespace: 'other', uid: 'w', labels: { app: 'web' } },
    };
    const reaching = (more: object) => ({
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ ...term('zone'), ...more }] } },
    });
    const around = {
      namespaceLabels: (name: string): Record<string, string> => (name === 'other' ? { team: 'x' } : {}),
    };
    const view = viewOf([nodes[0]!], { a1: [other] }, around);
    expect(outcome(pod('p', { spec: reaching({}) }), view)).toBe('a1');
    expect(outcome(pod('p', { spec: reaching({ namespaces: ['other'] }) }), view)).toHaveLength(1);
    expect(
      outcome(pod('p', { spec: reaching({ namespaceSelector: { matchLabels: { team: 'x' } } }) }), view),
    ).toHaveLength(1);
    expect(outcome(pod('p', { spec: reaching({ namespaceSelector: {} }) }), view)).toHaveLength(1);
    expect(outcome(pod('p', { spec: reaching({ namespaceSelector: { matchLabels: { team: 'y' } } }) }), view)).toBe(
      'a1',
    );
  });

  test('spread over zones: the skew is kept, nodes without the label are out', () => {
    const spread = (more: object = {}) => ({
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
          ...more,
        },
      ],
    });
    expect(outcome(web('p', spread()), viewOf(nodes, { a1: [web('w')] }))).toBe('b1');
    expect(['a1', 'a2']).toContain(outcome(web('p', spread()), viewOf(nodes, { b1: [web('w')] })));
    const bare = viewOf([...nodes, node('bare')], { a1: [web('w')], b1: [web('v')] });
    expect(outcome(web('p', { ...spread(), nodeName: 'bare' }), bare)).toContain(
      "1 node(s) didn't match pod topology spread constraints (missing required label)",
    );
    const full = viewOf(nodes, { a1: [web('w'), web('w2')] });
    expect(outcome(web('p', { ...spread(), nodeSelector: { zone: 'a' } }), full)).toBe('a2');
    expect(
      outcome(web('p', { ...spread({ nodeAffinityPolicy: 'Ignore' }), nodeSelector: { zone: 'a' } }), full),
    ).toEqual([
      "1 node(s) didn't match Pod's node affinity/selector",
      "2 node(s) didn't match pod topology spread constraints",
    ]);
    expect(outcome(web('p', spread({ minDomains: 3 })), viewOf(nodes, { a1: [web('w')], b1: [web('v')] }))).toEqual([
      "3 node(s) didn't match pod topology spread constraints",
    ]);
  });
});

describe('volumes', () => {
  const claim = (status: string, spec: object = {}) => ({
    kind: 'PersistentVolumeClaim',
    spec,
    status: { phase: status },
  });
  const uses = pod('p', { spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] } });
  const world = (objects: Record<string, any>) =>
    viewOf(
      [node('n'), node('m')],
      {},
      {
        object: (plural, _, name) =>
          objects[`${plural}/${name}`] === undefined
            ? undefined
            : { metadata: { name }, ...objects[`${plural}/${name}`] },
      },
    );
  test('missing, unbound, waiting, bound to a node', () => {
    expect(outcome(uses, world({}))).toEqual(['persistentvolumeclaim "c" not found']);
    expect(outcome(uses, world({ 'persistentvolumeclaims/c': claim('Pending') }))).toEqual([
      'pod has unbound immediate PersistentVolumeClaims',
    ]);
    expect(
      typeof outcome(
        uses,
        world({
          'persistentvolumeclaims/c': claim('Pending', { storageClassName: 'late' }),
          'storageclasses/late': { volumeBindingMode: 'WaitForFirstConsumer' },
        }),
      ),
    ).toBe('string');
    const terms = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['m'] }] }];
    const bound = {
      'persistentvolumeclaims/c': claim('Bound', { volumeName: 'v' }),
      'persistentvolumes/v': { spec: { nodeAffinity: { required: { nodeSelectorTerms: terms } } } },
    };
    expect(outcome(uses, world(bound))).toBe('m');
  });
});

test('the sentence of events', () => {
  const reasons = new Map([
    ['node(s) were unschedulable', 2],
    ['Insufficient cpu', 1],
  ]);
  expect(fitMessage(3, reasons)).toBe('0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.');
  expect(fitMessage(0, new Map())).toBe('no nodes available to schedule pods');
  expect(fitMessage(2, new Map(), 'pod has unbound immediate PersistentVolumeClaims')).toBe(
    '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
  );
  expect(preemptionMessage(3, new Map([['Preemption is not helpful for scheduling', 3]]))).toBe(
    ' preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
  );
});
