import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createThreeWayPatch, createTwoWayPatch } from '../../../src/kube/machinery/strategic-diff.js';
import { applyStrategicPatch } from '../../../src/kube/machinery/strategic-patch.js';
import { schemaOf } from '../../../src/kube/machinery/types/index.js';
import { check } from '../../support/fc.js';
import { kubectl, patchLocally } from './kubectl-local.js';

const pods = schemaOf('core.v1/Pod');
const deployments = schemaOf('apps.v1/Deployment');

const word = fc.constantFrom('p', 'q', 'r');
const some = (members: Record<string, fc.Arbitrary<any>>, always: string[] = []): fc.Arbitrary<any> =>
  fc.record(members, { requiredKeys: always });
const keyed = (arb: fc.Arbitrary<any>, key: string): fc.Arbitrary<any[]> =>
  fc.uniqueArray(arb, { selector: (item: any) => item[key], maxLength: 4 });
const container = some(
  {
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    image: word,
    args: fc.array(word, { maxLength: 3 }),
    env: keyed(some({ name: fc.constantFrom('A', 'B', 'C'), value: word }, ['name']), 'name'),
    ports: keyed(some({ containerPort: fc.constantFrom(1, 2, 3), protocol: word }, ['containerPort']), 'containerPort'),
    resources: some({ limits: fc.dictionary(fc.constantFrom('cpu', 'memory'), word) }),
  },
  ['name'],
);
const volume = fc
  .record({ name: fc.constantFrom('v', 'w', 'x'), source: fc.constantFrom('emptyDir', 'secret'), text: word })
  .map(({ name, source, text }) => ({ name, [source]: source === 'secret' ? { secretName: text } : {} }));
const pod = fc.record({
  apiVersion: fc.constant('v1'),
  kind: fc.constant('Pod'),
  metadata: some({
    labels: fc.dictionary(fc.constantFrom('l', 'm', '__proto__'), word),
    finalizers: fc.uniqueArray(fc.constantFrom('f', 'g', 'h', 'i'), { maxLength: 4 }),
  }),
  spec: some({
    containers: keyed(container, 'name'),
    volumes: keyed(volume, 'name'),
    tolerations: fc.array(some({ key: word }), { maxLength: 2 }),
    nodeName: word,
  }),
});

describe('a strategic patch made of two objects', () => {
  it('leads from one to the other', () => {
    check(
      fc.property(pod, pod, (a: any, b: any) => {
        const patch = createTwoWayPatch(pods, a, b);
        expect(applyStrategicPatch(pods, a, patch)).toEqual(b);
        expect(createTwoWayPatch(pods, b, b)).toEqual({});
      }),
      { runs: 400 },
    );
  });

  it.skipIf(kubectl === undefined)('leads the real kubectl there as well (needs KEEL_TEST_KUBECTL_BIN)', () => {
    check(
      fc.property(pod, pod, (a: any, b: any) => {
        const named = (o: any): any => ({ ...o, metadata: { ...o.metadata, name: 'x' } });
        fc.pre(!JSON.stringify([a, b]).includes('__proto__'));
        expect(patchLocally(named(a), 'strategic', createTwoWayPatch(pods, named(a), named(b)))).toEqual({
          object: named(b),
        });
      }),
      { runs: 25 },
    );
  });

  it('says what kubectl says', () => {
    const container = (image: string): any => ({ name: 'c', image });
    const web = (replicas: number, image: string, strategy: any): any => ({
      spec: { replicas, strategy, template: { spec: { containers: [container(image), { name: 'd' }] } } },
    });
    const rolling = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } };
    expect(createTwoWayPatch(deployments, web(1, 'a', rolling), web(1, 'b', rolling))).toEqual({
      spec: {
        template: {
          spec: {
            '$setElementOrder/containers': [{ name: 'c' }, { name: 'd' }],
            containers: [{ name: 'c', image: 'b' }],
          },
        },
      },
    });
    expect(createTwoWayPatch(deployments, web(1, 'a', rolling), web(1, 'a', { type: 'Recreate' }))).toEqual({
      spec: { strategy: { $retainKeys: ['type'], rollingUpdate: null, type: 'Recreate' } },
    });
    expect(
      createTwoWayPatch(pods, { metadata: { finalizers: ['a', 'b'] } }, { metadata: { finalizers: ['b'] } }),
    ).toEqual({
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], '$setElementOrder/finalizers': ['b'] },
    });
  });
});

describe('a three-way patch', () => {
  it('brings in what is wanted and keeps what only the live object has', () => {
    check(
      fc.property(pod, pod, pod, (last: any, wanted: any, live: any) => {
        const after = applyStrategicPatch(pods, live, createThreeWayPatch(pods, last, wanted, live));
        // Applied once more on top of itself it has nothing left to say.
        expect(applyStrategicPatch(pods, after, createThreeWayPatch(pods, wanted, wanted, after))).toEqual(after);
        for (const container of wanted.spec.containers ?? []) {
          const there: any = (after as any).spec.containers.find((c: any) => c.name === container.name);
          expect(there).toMatchObject({ name: container.name, ...(container.image ? { image: container.image } : {}) });
        }
        const wants = (o: any, n: string): boolean => (o.spec.containers ?? []).some((c: any) => c.name === n);
        for (const name of ['a', 'b', 'c', 'd']) {
          const kept = wants(live, name) && (!wants(last, name) || wanted.spec.containers === undefined);
          const dropped = last.spec.containers !== undefined && wanted.spec.containers === undefined;
          expect(wants(after, name)).toBe(wants(wanted, name) || (kept && !dropped));
        }
      }),
      { runs: 300 },
    );
  });

  it('of an apply after an edit by others', () => {
    const last = { spec: { replicas: 1, template: { spec: { containers: [{ name: 'c', image: 'a', tty: true }] } } } };
    const wanted = { spec: { template: { spec: { containers: [{ name: 'c', image: 'b' }] } } } };
    const live = {
      spec: {
        replicas: 5,
        template: {
          spec: {
            containers: [
              { name: 's', image: 's' },
              { name: 'c', image: 'a', tty: true },
            ],
          },
        },
      },
    };
    expect(createThreeWayPatch(deployments, last, wanted, live)).toEqual({
      spec: {
        replicas: null,
        template: {
          spec: {
            '$setElementOrder/containers': [{ name: 'c' }],
            containers: [{ name: 'c', image: 'b', tty: null }],
          },
        },
      },
    });
  });

  it('needs the keys of its lists', () => {
    const nameless = { spec: { containers: [{ image: 'a' }] } };
    expect(() => createTwoWayPatch(pods, { spec: { containers: [] } }, nameless)).toThrow(
      'map: map[image:a] does not contain declared merge key: name',
    );
  });
});
