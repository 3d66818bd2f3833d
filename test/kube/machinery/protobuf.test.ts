import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readObject } from '../../../src/kube/machinery/accept.js';
import { ApiError } from '../../../src/kube/machinery/api-error.js';
import type { JsonObject } from '../../../src/kube/machinery/object.js';
import { decodeProtobuf } from '../../../src/kube/machinery/protobuf.js';
import { allRefs, findMessage, groupOf, isTopLevel, refOf } from '../../../src/kube/machinery/types/groups.js';
import { schemaOf } from '../../../src/kube/machinery/types/index.js';
import type { Field, FieldType } from '../../../src/kube/machinery/types/line.js';
import { check } from '../../support/fc.js';
import { bytesField, encodeBody, encodeMessage, intField } from './protobuf-encoder.js';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const deployment = { group: 'apps', version: 'v1', kind: 'Deployment', schema: schemaOf('apps.v1/Deployment') };

const body = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', labels: { app: 'web', '': '' }, creationTimestamp: null },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { name: '', labels: { app: 'web' }, creationTimestamp: null },
      spec: {
        volumes: [{ name: 'v', emptyDir: { medium: '' } }],
        containers: [
          {
            name: 'c',
            image: 'nginx',
            workingDir: '',
            ports: [{ containerPort: 80, hostPort: 0 }],
            resources: { limits: { cpu: '0.5', memory: '1024Mi' } },
            livenessProbe: { httpGet: { path: '/', port: 'http' }, timeoutSeconds: 3 },
            stdin: false,
          },
        ],
        terminationGracePeriodSeconds: 30,
        hostNetwork: false,
        securityContext: {},
      },
    },
    strategy: { type: '', rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } },
    paused: false,
  },
  status: { replicas: 0 },
};

describe('a protobuf body', () => {
  test('comes out as the object that it is, without what was not set', () => {
    const object = readObject(encodeBody('apps.v1/Deployment', body), PROTOBUF, deployment, 'Strict', () => {});
    expect(object).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web', '': '' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            volumes: [{ name: 'v', emptyDir: {} }],
            containers: [
              {
                name: 'c',
                image: 'nginx',
                ports: [{ containerPort: 80 }],
                resources: { limits: { cpu: '500m', memory: '1Gi' } },
                livenessProbe: { httpGet: { path: '/', port: 'http' }, timeoutSeconds: 3 },
              },
            ],
            terminationGracePeriodSeconds: 30,
            securityContext: {},
          },
        },
        strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } },
      },
    });
  });

  test('has times, secrets, reviews and raw values in their JSON form', () => {
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' } };
    const spec = { holderIdentity: '', renewTime: '2026-07-01T10:00:00.000001Z', leaseTransitions: -1 };
    expect(decodeProtobuf(encodeBody('coordination.v1/Lease', { ...lease, spec }))).toEqual({ ...lease, spec });
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: {}, data: { a: 'AP8=', b: '' } };
    expect(decodeProtobuf(encodeBody('core.v1/Secret', secret))).toEqual(secret);
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: 'u', extra: { scopes: ['a', 'b'] } },
    };
    expect(decodeProtobuf(encodeBody('authorization.v1/SubjectAccessReview', review))).toEqual(review);
    const revision = { apiVersion: 'apps/v1', kind: 'ControllerRevision', data: { spec: [1, null] }, revision: 3 };
    expect(decodeProtobuf(encodeBody('apps.v1/ControllerRevision', revision))).toEqual(revision);
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: 'u' } };
    expect(decodeProtobuf(encodeBody('meta.v1/DeleteOptions', options))).toEqual(options);
  });

  test('may have fields of later versions, packed numbers and maps without values', () => {
    const raw = Buffer.concat([
      intField(999, 1),
      bytesField(998, 'x'),
      Buffer.from([((997 * 8 + 5) & 0x7f) | 0x80, (997 * 8 + 5) >> 7, 1, 2, 3, 4]),
      bytesField(2, bytesField(1, 'key')),
      bytesField(1, bytesField(1, 'name')),
      // Of a struct in two pieces, both count.
      bytesField(1, bytesField(3, 'ns')),
    ]);
    expect(decodeProtobuf(wrap('v1', 'ConfigMap', raw))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: { key: '' },
      metadata: { name: 'name', namespace: 'ns' },
    });
    const groups = bytesField(14, bytesField(4, Buffer.from([1, 2])));
    expect(decodeProtobuf(wrap('v1', 'Pod', bytesField(2, groups)))).toMatchObject({
      spec: { securityContext: { supplementalGroups: [1, 2] } },
    });
  });

  test.each([
    ['no magic', Buffer.from('{}'), 'the envelope: it does not begin with k8s'],
    ['an envelope that ends early', Buffer.from('k8s\0\x0a\x7f', 'latin1'), 'the envelope: unexpected end'],
    ['no kind', wrap('v1', '', Buffer.alloc(0)), "Object 'Kind' is missing"],
    ['an unknown kind', wrap('v1', 'Widget', Buffer.alloc(0)), 'no kind "Widget" is registered for version "v1"'],
    ['an object that ends early', wrap('v1', 'Pod', Buffer.from([0x0a, 5, 0x0a])), 'Pod.metadata: unexpected end'],
    ['a wrong wire type', wrap('v1', 'Pod', bytesField(2, intField(2, 1))), 'Pod.spec.containers: wire type 0'],
    ['field number 0', wrap('v1', 'Pod', Buffer.from([2, 0])), 'Pod: illegal tag'],
    ['a group', wrap('v1', 'Pod', Buffer.from([0x3b])), 'Pod: wire type 3'],
    ['a number without end', wrap('v1', 'Pod', Buffer.alloc(12, 0xff)), 'Pod: a number of more than 64 bits'],
    ['raw JSON that is none', wrap('apps/v1', 'ControllerRevision', bytesField(2, bytesField(1, '{'))), '.data: '],
    [
      'a map key that sets a prototype',
      wrap('v1', 'ConfigMap', bytesField(2, bytesField(1, '__proto__'))),
      '__proto__',
    ],
  ])('is refused with 400 and the place: %s', (_, bytes, text) => {
    const error = refusal(bytes);
    expect(error.code).toBe(400);
    expect(error.message).toContain(text);
  });

  test('that nests without end is refused, not followed', () => {
    let raw = wrap('apps/v1', 'ControllerRevision', Buffer.alloc(0));
    for (let i = 0; i < 300; i++) raw = wrap('apps/v1', 'ControllerRevision', bytesField(2, bytesField(1, raw)));
    expect(refusal(raw).message).toContain('exceeded max depth');
  });

  test('of any bytes is an object or a refusal', () => {
    const whole = encodeBody('apps.v1/Deployment', body);
    const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    const run = (bytes: Buffer) => {
      try {
        readObject(bytes, PROTOBUF, deployment, 'Warn', () => {});
      } catch (error) {
        expect(error).toBeInstanceOf(ApiError);
        expect((error as ApiError).code).toBe(400);
      }
    };
    check(
      fc.property(changes, fc.nat(whole.length), (edits, cut) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of edits) bytes[at] = byte;
        run(bytes);
        run(bytes.subarray(0, cut));
      }),
      { runs: 500 },
    );
    check(
      fc.property(fc.uint8Array({ maxLength: 60 }), (raw) => run(wrap('apps/v1', 'Deployment', Buffer.from(raw)))),
      { runs: 500 },
    );
  });

  test('brings back every object that the tables can say', () => {
    const kinds = allRefs().filter((ref) => {
      const first = findMessage(ref)?.fields[0];
      return first !== undefined && first.number !== 0 && isTopLevel(ref);
    });
    check(
      fc.property(
        fc.constantFrom(...kinds).chain((ref) => fc.tuple(fc.constant(ref), messageOf(ref, 4))),
        ([ref, value]) => {
          const { group, version } = groupOf(ref);
          const kind = ref.slice(ref.indexOf('/') + 1);
          const apiVersion = group === '' ? version : `${group}/${version}`;
          if (refOf(group, version, kind) !== ref) return;
          const object = { ...value, apiVersion, kind };
          expect(decodeProtobuf(encodeBody(ref, object))).toEqual(object);
        },
      ),
      { runs: 150 },
    );
  });
});

function wrap(apiVersion: string, kind: string, raw: Buffer): Buffer {
  const typeMeta = Buffer.concat([bytesField(1, apiVersion), bytesField(2, kind)]);
  return Buffer.concat([Buffer.from('k8s\0', 'latin1'), bytesField(1, typeMeta), bytesField(2, raw)]);
}

function refusal(bytes: Buffer): ApiError {
  try {
    decodeProtobuf(bytes);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const SPECIAL: Record<string, fc.Arbitrary<unknown>> = {
  'meta.v1/Time': fc.constantFrom('2026-07-01T10:00:00Z', '1970-01-01T00:00:00Z'),
  'meta.v1/MicroTime': fc.constantFrom('2026-07-01T10:00:00.123456Z'),
  'meta.v1/Duration': fc.constant('0s'),
  'resource/Quantity': fc.constantFrom('1', '500m', '0'),
  'intstr/IntOrString': fc.oneof(fc.integer(), fc.string()),
  'meta.v1/FieldsV1': fc.constant({ 'f:spec': {} }),
  'runtime/RawExtension': fc.constantFrom({ a: [1] }, 'text'),
};

const name = fc.string().filter((text) => text !== '__proto__');

function arbitraryOf(type: FieldType, depth: number): fc.Arbitrary<unknown> {
  if (type.of === 'map')
    return fc.dictionary(name, arbitraryOf(type.value, depth), { maxKeys: 2, noNullPrototype: true });
  if (type.of === 'message') {
    if (type.ref.endsWith('/ExtraValue') || type.ref.endsWith('/Verbs')) return fc.array(fc.string(), { maxLength: 2 });
    return SPECIAL[type.ref] ?? messageOf(type.ref, depth - 1);
  }
  switch (type.scalar) {
    case 's':
      return fc.string();
    case 'y':
      return fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString('base64'));
    case 'b':
      return fc.boolean();
    case 'd':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((d) => d + 0);
    case 'l':
      return fc.maxSafeInteger();
    case 'i':
      return fc.integer();
    default:
      return fc.nat();
  }
}

function fieldOf(field: Field, depth: number): fc.Arbitrary<unknown> {
  const one = arbitraryOf(field.type, depth);
  if (field.repeated) return fc.array(one, { minLength: 1, maxLength: 2 });
  return field.type.of === 'map' ? one.filter((map) => Object.keys(map as object).length > 0) : one;
}

function messageOf(ref: string, depth: number): fc.Arbitrary<JsonObject> {
  const fields = new Map<string, Field>();
  const collect = (of: string) => {
    for (const field of findMessage(of)?.fields ?? []) {
      if (field.inline && field.type.of === 'message') collect(field.type.ref);
      else if (depth > 0 || field.type.of === 'scalar') fields.set(field.name, field);
    }
  };
  collect(ref);
  // Few members each, and made only when they are chosen: types branch into thousands.
  return fc
    .subarray([...fields.keys()], { maxLength: Math.min(4, fields.size) })
    .chain((kept) => fc.record(Object.fromEntries(kept.map((key) => [key, fieldOf(fields.get(key) as Field, depth)]))))
    .map((record) => ({ ...record }) as JsonObject);
}

test('the encoder writes what the annotated bytes of the format say', () => {
  expect(encodeMessage('core.v1/ContainerPort', { name: 'a', containerPort: 80 }).toString('hex')).toBe('0a01611850');
});
