import { describe, expect, test } from 'vitest';
import type { FieldValidation } from '../../../src/kube/machinery/accept.js';
import { decodePatched, readDeleteOptions, readObject } from '../../../src/kube/machinery/accept.js';
import { ApiError } from '../../../src/kube/machinery/api-error.js';
import type { Schema } from '../../../src/kube/machinery/schema.js';
import { schemaOf } from '../../../src/kube/machinery/types/index.js';

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment', schema: schemaOf('apps.v1/Deployment') };
const POD = { group: '', version: 'v1', kind: 'Pod', schema: schemaOf('core.v1/Pod') };
const SECRET = { group: '', version: 'v1', kind: 'Secret', schema: schemaOf('core.v1/Secret') };

function read(body: unknown, expected = DEPLOYMENT, validation: FieldValidation = 'Strict', type?: string) {
  const warnings: string[] = [];
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const object = readObject(bytes, type, expected, validation, (text) => warnings.push(text));
  return { object, warnings };
}

function refusal(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('fieldValidation', () => {
  const body =
    '{"kind":"Deployment","spec":{"replica":3,"replicas":1,"replicas":2,"template":{"spec":{"containers":[{"foo":1,"name":"c"}]}}}}';

  test('Strict refuses unknown and duplicate fields with their paths', () => {
    const error = refusal(() => read(body));
    expect(error.code).toBe(400);
    expect(error.reason).toBe('BadRequest');
    expect(error.message).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: ' +
        'duplicate field "spec.replicas", unknown field "spec.replica", ' +
        'unknown field "spec.template.spec.containers[0].foo"',
    );
  });

  test('Warn tells them and drops them; the last duplicate holds', () => {
    const { object, warnings } = read(body, DEPLOYMENT, 'Warn');
    expect(warnings).toEqual([
      'duplicate field "spec.replicas"',
      'unknown field "spec.replica"',
      'unknown field "spec.template.spec.containers[0].foo"',
    ]);
    expect(object).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {},
      spec: { replicas: 2, template: { spec: { containers: [{ name: 'c' }] } } },
    });
  });

  test('Ignore drops them silently', () => {
    expect(read(body, DEPLOYMENT, 'Ignore').warnings).toEqual([]);
  });

  test('knows the members of maps and of raw values for free', () => {
    const object = { metadata: { labels: { any: 'x' }, managedFields: [{ fieldsV1: { 'f:spec': { 'f:x': {} } } }] } };
    expect(read(object).object.metadata).toEqual(object.metadata);
  });

  test('tells duplicates with escapes in their names, once each, and not those of different objects', () => {
    const text =
      '{"metadata":{"labels":{"a":"1","\\u0061":"2","a":"3"}},"spec":{"template":{"metadata":{"name":"x"}}}}';
    expect(read(text, DEPLOYMENT, 'Warn').warnings).toEqual(['duplicate field "metadata.labels.a"']);
    const list = '{"spec":{"containers":[{"name":"a"},{"name":"b","name":"c","args":["}\\"{","name","name"]}]}}';
    expect(read(list, POD, 'Warn').warnings).toEqual(['duplicate field "spec.containers[1].name"']);
  });
});

describe('a body that does not fit', () => {
  const why = (body: unknown, expected = DEPLOYMENT) => refusal(() => read(body, expected)).message;

  test.each([
    [
      { spec: { replicas: '3' } },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { spec: { replicas: 1.5 } },
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { spec: { replicas: 3e9 } },
      'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { metadata: { labels: { a: 1 } } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [{ spec: [] }, 'json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec'],
    [
      { spec: { template: { spec: { containers: [{ env: [{ name: 'a', value: true }] }] } } } },
      'json: cannot unmarshal bool into Go struct field EnvVar.spec.template.spec.containers.env.value of type string',
    ],
    [
      { spec: { template: { spec: { containers: {} } } } },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      { metadata: { creationTimestamp: 'now' } },
      'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
    ],
    [
      { spec: { strategy: { rollingUpdate: { maxSurge: true } } } },
      'json: cannot unmarshal bool into Go value of type int32',
    ],
    [
      { spec: { template: { spec: { containers: [{ resources: { limits: { cpu: 'much' } } }] } } } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ])('%j', (body, text) => {
    expect(why(body)).toBe(`Deployment in version "v1" cannot be handled as a Deployment: ${text}`);
  });

  test('has bytes that are no base64', () => {
    expect(why({ data: { a: 'hello!' } }, SECRET)).toBe(
      'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 5',
    );
    expect(why({ data: { a: 'YQ' } }, SECRET)).toContain('illegal base64 data at input byte 2');
    expect(read({ data: { a: 'Y\nQ==' } }, SECRET).object.data).toEqual({ a: 'YQ==' });
  });

  test('is of another type', () => {
    expect(why({ apiVersion: 'v1', kind: 'Pod' })).toBe(
      'the API version in the data (v1) does not match the expected API version (apps/v1)',
    );
    expect(why({ apiVersion: 'apps/v1', kind: 'DaemonSet' })).toContain(
      'DaemonSet in version "v1" cannot be handled as a Deployment: ',
    );
  });

  test('cannot be read at all', () => {
    expect(why('{"kind":')).toMatch(
      /^the object provided is unrecognized \(must be of type Deployment\): couldn't get version\/kind; json parse error: .* \(\{"kind":\)$/,
    );
    expect(why('')).toContain('(<empty>)');
    expect(why('null')).toContain("couldn't get version/kind");
    expect(why('[]')).toContain('cannot unmarshal array');
    expect(why('['.repeat(100_000))).toContain('json parse error');
    expect(why(`{"a":${'['.repeat(9999)}${']'.repeat(9999)}}`)).toBe('exceeded max depth');
    expect(why('{"metadata":{"labels":{"__pr\\u006fto__":"x"}}}')).toContain('__proto__');
  });

  test('is of a media type that nobody reads', () => {
    const error = refusal(() => read({}, DEPLOYMENT, 'Strict', 'application/cbor'));
    expect(error.code).toBe(415);
    expect(error.message).toBe(
      'the body of the request was in an unknown format - accepted media types include: ' +
        'application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  });
});

describe('an object', () => {
  test('has its type although its body leaves it out, and no nulls, zeros or empty things that mean nothing', () => {
    const { object } = read({
      metadata: { name: 'web', creationTimestamp: null, labels: {}, annotations: { a: '', b: null } },
      spec: {
        replicas: 0,
        paused: false,
        selector: {},
        strategy: {},
        template: {
          metadata: { creationTimestamp: null },
          spec: { containers: [], volumes: [{ name: '', emptyDir: {} }] },
        },
      },
      status: { conditions: [] },
    });
    expect(object).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', annotations: { a: '', b: '' } },
      spec: {
        replicas: 0,
        selector: {},
        template: { spec: { containers: [], volumes: [{ name: '', emptyDir: {} }] } },
      },
    });
  });

  test('has canonical quantities and times', () => {
    const { object } = read(
      {
        metadata: { creationTimestamp: '2026-07-01T12:00:00.5+02:00' },
        spec: {
          containers: [{ name: 'c', resources: { limits: { cpu: 1, memory: '0.5Gi' }, requests: { cpu: 0.5 } } }],
        },
      },
      POD,
    );
    expect(object.metadata.creationTimestamp).toBe('2026-07-01T10:00:00Z');
    expect(object.spec).toEqual({
      containers: [{ name: 'c', resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '500m' } } }],
    });
  });

  test('refuses days that are none', () => {
    expect(() => read({ metadata: { creationTimestamp: '2026-02-30T00:00:00Z' } })).toThrow('parsing time');
  });
});

describe('a YAML body', () => {
  const yaml = (text: string, expected = DEPLOYMENT, validation: FieldValidation = 'Warn') =>
    read(text, expected, validation, 'application/yaml; charset=utf-8');

  test('is the JSON that it means, with words for words and octal modes', () => {
    const text = `
metadata: {name: web, labels: {on: "yes", port: 'x'}, annotations: {a: no}}
spec:
  containers: &c
  - name: a
  volumes:
  - name: v
    configMap: {name: c, defaultMode: 0644}
`;
    const error = refusal(() => yaml(text.replace('{a: no}', '{a: 1}'), POD));
    expect(error.message).toContain('cannot unmarshal number into Go struct field ObjectMeta.metadata.annotations');
    expect(yaml(text, POD).object).toMatchObject({
      metadata: { labels: { on: 'yes' }, annotations: { a: 'no' } },
      spec: { volumes: [{ configMap: { defaultMode: 420 } }] },
    });
  });

  test('is one document without aliases that explode', () => {
    expect(refusal(() => yaml('a: 1\n---\nb: 2')).message).toContain('more than one document');
    expect(refusal(() => yaml('a: [')).message).toContain('yaml: ');
    const bomb = `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${[1, 2, 3, 4, 5, 6, 7]
      .map((n) => `a${n}: &a${n} [${Array(9).fill(`*a${n - 1}`)}]`)
      .join('\n')}`;
    expect(refusal(() => yaml(bomb)).message).toContain('alias');
    expect(refusal(() => yaml('__proto__: {a: 1}')).code).toBe(400);
    expect(refusal(() => yaml('['.repeat(5000))).code).toBe(400);
  });

  test('tells duplicates as JSON does', () => {
    const text = 'spec:\n  replicas: 1\n  replicas: 2\n';
    expect(yaml(text).warnings).toEqual(['duplicate field "spec.replicas"']);
    expect(yaml(text).object.spec).toEqual({ replicas: 2 });
  });
});

describe('what a patch made', () => {
  test('is an object and the names of what is unknown', () => {
    const document = { kind: 'Deployment', apiVersion: 'apps/v1', spec: { replica: 1, replicas: 2, strategy: null } };
    expect(decodePatched(DEPLOYMENT, document)).toEqual({
      object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: {}, spec: { replicas: 2 } },
      unknown: ['unknown field "spec.replica"'],
    });
  });

  test('is refused with 422 for a wrong type', () => {
    const error = refusal(() => decodePatched(DEPLOYMENT, { spec: 1 }));
    expect(error.code).toBe(422);
    expect(error.message).toBe(
      ' "" is invalid: patch: Invalid value: "{\\"spec\\":1}": ' +
        'json: cannot unmarshal number into Go struct field Deployment.spec of type v1.DeploymentSpec',
    );
  });
});

test('options of a deletion may come in any version, or not at all', () => {
  const options = (body: string) => readDeleteOptions(Buffer.from(body), 'application/json');
  expect(options('')).toEqual({});
  expect(options('{"kind":"DeleteOptions","apiVersion":"policy/v1","gracePeriodSeconds":0,"dryRun":["All"]}')).toEqual({
    gracePeriodSeconds: 0,
    dryRun: ['All'],
  });
  expect(refusal(() => options('{"gracePeriodSeconds":"1"}')).code).toBe(400);
  expect(refusal(() => options('[')).code).toBe(400);
});

describe('a custom resource', () => {
  const string: Schema = { type: 'string' };
  const schema: Schema = {
    type: 'object',
    properties: () =>
      new Map<string, Schema>([
        ['apiVersion', string],
        ['kind', string],
        ['metadata', schemaOf('meta.v1/ObjectMeta')],
        [
          'spec',
          {
            type: 'object',
            properties: () =>
              new Map<string, Schema>([
                ['size', { type: 'integer', format: 'int32' }],
                ['free', { type: 'object', preserveUnknown: true, properties: () => new Map([['known', string]]) }],
                ['pod', { type: 'object', embedded: true, properties: () => new Map<string, Schema>() }],
              ]),
          },
        ],
      ]),
  };
  const expected = { group: 'example.com', version: 'v1', kind: 'Widget', schema };

  test('loses what its schema does not name and keeps the rest as it is', () => {
    const spec = {
      size: 'not yet',
      free: { known: null, other: { x: 0 } },
      pod: { kind: 'Pod', metadata: { name: 'p' } },
    };
    const body = { spec: { ...spec, gone: 1, pod: { ...spec.pod, spec: {} } }, metadata: { name: 'w', labels: {} } };
    const { object, warnings } = read(body, expected, 'Warn');
    expect(object).toEqual({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec });
    expect(warnings).toEqual(['unknown field "spec.pod.spec"', 'unknown field "spec.gone"']);
  });

  test('has metadata of the right types', () => {
    expect(refusal(() => read({ metadata: { labels: 1 } }, expected)).message).toContain(
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    );
  });
});
