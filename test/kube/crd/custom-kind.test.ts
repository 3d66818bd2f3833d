import { describe, expect, it } from 'vitest';
import { pruned, setCustomDefaults } from '../../../src/kube/crd/custom-defaults.js';
import { customKinds } from '../../../src/kube/crd/custom-kind.js';
import { customSchema } from '../../../src/kube/crd/custom-schema.js';
import { validateCustom } from '../../../src/kube/crd/custom-validation.js';
import { hasFormat } from '../../../src/kube/crd/formats.js';
import { compareVersions } from '../../../src/kube/crd/version-order.js';
import { applyServerSide } from '../../../src/kube/machinery/apply/server-side-apply.js';
import { invalidObject } from '../../../src/kube/machinery/field-error.js';
import { copyJson } from '../../../src/kube/machinery/json-value.js';
import { memberOf } from '../../../src/kube/machinery/schema.js';
import { makeTable } from '../../../src/kube/machinery/table.js';
import { definition, NETWORK_SCHEMA } from './sample.js';

const schema = customSchema(NETWORK_SCHEMA);
const network = (spec: any, more: object = {}): any => ({
  apiVersion: 'samplecrd.example.com/v1',
  kind: 'Network',
  metadata: { name: 'n' },
  spec,
  ...more,
});
const lines = (source: any, value: any): string[] =>
  validateCustom(source, { spec: value } as any).map((e) => `${e.field}: ${e.message}`);
const rule = (spec: object): any => ({ type: 'object', properties: { spec } });

describe('the schema of a custom resource', () => {
  it('has metadata of its own and knows lists and maps', () => {
    expect(schema.type).toBe('object');
    expect(memberOf(schema, 'metadata')?.ref).toBe('meta.v1/ObjectMeta');
    const spec = memberOf(schema, 'spec')!;
    expect(spec.required).toEqual(['cidr']);
    expect(memberOf(spec, 'ports')).toMatchObject({ type: 'array', listType: 'map', listMapKeys: ['name'] });
    expect(memberOf(spec, 'target')).toMatchObject({ type: 'int-or-string' });
    expect(memberOf(spec, 'free')).toMatchObject({ preserveUnknown: true });
    expect(memberOf(memberOf(spec, 'labels')!, 'any')).toMatchObject({ type: 'string' });
    expect(memberOf(spec, 'what')).toBeUndefined();
  });

  it('fills in defaults, once', () => {
    const object = network({ cidr: '10.', gateway: null, maybe: null, mode: null, ports: [{ name: 'a' }] });
    setCustomDefaults(schema, object);
    const full = { cidr: '10.', gateway: 'auto', replicas: 1, maybe: null, ports: [{ name: 'a', port: 80 }] };
    expect(object.spec).toEqual(full);
    const again = copyJson(object);
    setCustomDefaults(schema, again);
    expect(again).toEqual(object);
  });

  it('prunes what it does not know', () => {
    const object = network(
      { cidr: '10.', bogus: 1, free: { any: { thing: 1 } }, ports: [{ name: 'a', x: 1 }], labels: { l: 'v' } },
      { other: true },
    );
    const before = JSON.stringify(object);
    expect(pruned(schema, object)).toEqual(
      network({ cidr: '10.', free: { any: { thing: 1 } }, ports: [{ name: 'a' }], labels: { l: 'v' } }),
    );
    expect(JSON.stringify(object)).toBe(before);
    const clean = network({ cidr: '10.' });
    expect(pruned(schema, clean)).toBe(clean);
  });

  it('drives server-side apply', () => {
    const config = network({ cidr: '10.', ports: [{ name: 'a', port: 1 }], free: { list: [1] } });
    const request = { schema, manager: 'm', force: false, subresource: '', apiVersion: 'x/v1', now: 't' };
    const { object, managedFields } = applyServerSide({ ...request, live: null, config });
    expect(managedFields[0]!.fieldsV1).toEqual({
      'f:spec': {
        'f:cidr': {},
        'f:free': { 'f:list': {} },
        'f:ports': { 'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:port': {} } },
      },
    });
    const next = applyServerSide({ ...request, live: object, config: network({ cidr: '10.', ports: [] }) });
    expect(next.object.spec).toEqual({ cidr: '10.' });
  });
});

describe('validation of custom resources', () => {
  it('says what clients know', () => {
    const errors = validateCustom(NETWORK_SCHEMA as any, network({}));
    expect(invalidObject('samplecrd.example.com', 'Network', 'n', errors).message).toBe(
      'Network.samplecrd.example.com "n" is invalid: spec.cidr: Required value',
    );
    const rows: [object, any, string[]][] = [
      [{ type: 'string' }, 5, ['spec: Invalid value: "integer": spec in body must be of type string: "integer"']],
      [{ type: 'integer' }, 1.5, ['spec: Invalid value: "number": spec in body must be of type integer: "number"']],
      [{ type: 'integer' }, 'x', ['spec: Invalid value: "string": spec in body must be of type integer: "string"']],
      [{ type: 'number' }, 1, []],
      [{ type: 'string' }, null, ['spec: Invalid value: "null": spec in body must be of type string: "null"']],
      [{ type: 'string', nullable: true, enum: ['a'] }, null, ['spec: Unsupported value: null: supported values: "a"']],
      [{ type: 'string', maxLength: 1, pattern: '^a' }, 'xyz', ['spec: Too long: may not be more than 1 bytes']],
      [
        { type: 'object', not: { required: ['a'] } },
        5,
        [
          'spec: Invalid value: "integer": spec in body must be of type object: "integer"',
          '<nil>: Invalid value: "": "spec" must not validate the schema (not)',
        ],
      ],
      [{ type: 'string', nullable: true }, null, []],
      [{ 'x-kubernetes-int-or-string': true }, 'x', []],
      [{ 'x-kubernetes-int-or-string': true }, 5, []],
      [
        { 'x-kubernetes-int-or-string': true },
        true,
        ['spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'],
      ],
      [{ 'x-kubernetes-preserve-unknown-fields': true }, [null, { a: 1 }], []],
      [{ type: 'string', enum: ['a', 'b'] }, 'c', ['spec: Unsupported value: "c": supported values: "a", "b"']],
      [{ type: 'string', pattern: '^\\d+$' }, 'x', ['spec: Invalid value: "x": spec in body should match \'^\\d+$\'']],
      [{ type: 'string', maxLength: 2 }, 'xyz', ['spec: Too long: may not be more than 2 bytes']],
      [
        { type: 'string', minLength: 2 },
        'x',
        ['spec: Invalid value: "x": spec in body should be at least 2 chars long'],
      ],
      [
        { type: 'string', format: 'ipv4' },
        '1.2.3',
        ['spec: Invalid value: "1.2.3": spec in body must be of type ipv4: "1.2.3"'],
      ],
      [
        { type: 'integer', maximum: 10 },
        15,
        ['spec: Invalid value: 15: spec in body should be less than or equal to 10'],
      ],
      [
        { type: 'integer', maximum: 10, exclusiveMaximum: true },
        10,
        ['spec: Invalid value: 10: spec in body should be less than 10'],
      ],
      [
        { type: 'integer', minimum: 1 },
        0,
        ['spec: Invalid value: 0: spec in body should be greater than or equal to 1'],
      ],
      [
        { type: 'integer', minimum: 1, exclusiveMinimum: true },
        1,
        ['spec: Invalid value: 1: spec in body should be greater than 1'],
      ],
      [{ type: 'number', multipleOf: 0.1 }, 0.3, []],
      [{ type: 'integer', multipleOf: 2 }, 3, ['spec: Invalid value: 3: spec in body should be a multiple of 2']],
      [
        { type: 'array', items: { type: 'string' }, maxItems: 1 },
        ['a', 'b'],
        ['spec: Too many: 2: must have at most 1 items'],
      ],
      [
        { type: 'array', items: { type: 'string' } },
        ['a', 1],
        ['spec[1]: Invalid value: "integer": spec[1] in body must be of type string: "integer"'],
      ],
      [
        { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        ['a', 'a'],
        ['spec[1]: Duplicate value: "a"'],
      ],
      [
        {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['n'],
          items: { type: 'object', properties: { n: { type: 'string' } } },
        },
        [{ n: 'a' }, { n: 'a' }],
        ['spec[1]: Duplicate value: {"n":"a"}'],
      ],
      [{ type: 'object', required: ['a', 'b'] }, { a: 1 }, ['spec.b: Required value']],
      [{ type: 'object', maxProperties: 1 }, { a: 1, b: 2 }, ['spec: Too many: 2: must have at most 1 items']],
      [
        { type: 'object', additionalProperties: { type: 'string' } },
        { a: 1 },
        ['spec.a: Invalid value: "integer": spec.a in body must be of type string: "integer"'],
      ],
      [
        { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
        {},
        [
          '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid',
          'spec.a: Required value',
        ],
      ],
      [
        { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
        { a: 1, b: 1 },
        ['<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
      ],
      [{ type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] }, { b: 1 }, []],
      [
        { type: 'object', not: { required: ['a'] } },
        { a: 1 },
        ['<nil>: Invalid value: "": "spec" must not validate the schema (not)'],
      ],
      [
        { type: 'integer', allOf: [{ minimum: 5 }] },
        3,
        [
          'spec: Invalid value: 3: spec in body should be greater than or equal to 5',
          '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf). None validated',
        ],
      ],
    ];
    for (const [source, value, expected] of rows)
      expect([source, value, lines(rule(source), value)]).toEqual([source, value, expected]);
  });

  it('knows formats', () => {
    const good: Record<string, string[]> = {
      'date-time': ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.1+01:00'],
      date: ['2026-01-02'],
      ipv4: ['10.0.0.1'],
      ipv6: ['::1', '2001:db8::1', '1:2:3:4:5:6:7:8', '::ffff:10.0.0.1'],
      cidr: ['10.0.0.0/8', 'fe80::/10'],
      byte: ['YWI=', ''],
      uuid: ['6ba7b810-9dad-11d1-80b4-00c04fd430c8'],
      duration: ['1h30m', '5s'],
      hostname: ['a.b-c.d'],
      email: ['a@b'],
      'nobody-knows': ['anything'],
    };
    const bad: Record<string, string[]> = {
      'date-time': ['2026-01-02', '2026-13-02T03:04:05Z'],
      ipv4: ['10.0.0', '10.0.0.256', '1.2.3.4.'],
      ipv6: ['1:2', '1::2::3', '12345::', '10.0.0.1'],
      cidr: ['10.0.0.0', '10.0.0.0/33'],
      byte: ['a'],
      uuid: ['x'],
      duration: ['x', ''],
    };
    for (const [format, texts] of Object.entries(good))
      for (const t of texts) expect([format, t, hasFormat(t, format)]).toEqual([format, t, true]);
    for (const [format, texts] of Object.entries(bad))
      for (const t of texts) expect([format, t, hasFormat(t, format)]).toEqual([format, t, false]);
  });
});

describe('kinds of a definition', () => {
  it('are made for each served version, the preferred one first', () => {
    const kinds = customKinds(
      definition([{ name: 'v1beta1' }, { name: 'v1', subresources: { status: {} } }, { name: 'v2', served: false }]),
    );
    expect(kinds.map((kind) => [kind.version, kind.hasStatus, kind.storedApiVersion])).toEqual([
      ['v1', true, 'samplecrd.example.com/v1beta1'],
      ['v1beta1', false, 'samplecrd.example.com/v1beta1'],
    ]);
    expect(kinds[0]).toMatchObject({
      group: 'samplecrd.example.com',
      kind: 'Network',
      listKind: 'NetworkList',
      plural: 'networks',
      singular: 'network',
      shortNames: ['net'],
      namespaced: true,
      storageDir: 'samplecrd.example.com/networks',
      noStrategicPatch: true,
      allowUnconditionalUpdate: false,
      hasGeneration: true,
      description: 'A network of the sample.',
    });
    expect(kinds[0]!.subresources!.map((s) => s.name)).toEqual(['status']);
    expect(customKinds(definition(), true)[0]!.verbs).not.toContain('create');
  });

  it('order versions as clients do', () => {
    const versions = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'foo1', 'foo10'];
    expect([...versions].reverse().sort(compareVersions)).toEqual(versions);
  });

  it('show the columns of the definition', () => {
    const [kind] = customKinds(
      definition({
        additionalPrinterColumns: [
          { name: 'CIDR', type: 'string', jsonPath: '.spec.cidr', description: 'd' },
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Since', type: 'date', jsonPath: '.spec.since' },
          { name: 'Ports', type: 'string', jsonPath: '.spec.ports' },
          { name: 'Nothing', type: 'boolean', jsonPath: '.spec.cidr' },
        ],
      }),
    );
    const object = network(
      { cidr: '10.', replicas: 3, since: '1970-01-01T00:00:00Z', ports: [{ name: 'a' }] },
      { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
    );
    const table = makeTable(kind!, [object, network({ since: 'x' })], {}, 'None', 90_000);
    expect(table.columnDefinitions.map((c) => `${c.name} ${c.type} ${c.priority}`)).toEqual([
      'Name string 0',
      'CIDR string 0',
      'Replicas integer 1',
      'Ready string 0',
      'Since date 0',
      'Ports string 0',
      'Nothing boolean 0',
    ]);
    expect(table.rows.map((row) => row.cells)).toEqual([
      ['n', '10.', 3, 'True', '90s', '[{"name":"a"}]', null],
      ['n', null, null, null, '<invalid>', null, null],
    ]);
    const plain = makeTable(
      customKinds(definition())[0]!,
      [network({}, { metadata: { name: 'n', creationTimestamp: '1970-01-01T00:00:00Z' } })],
      {},
      'None',
      5000,
    );
    expect(plain.columnDefinitions.map((c) => c.name)).toEqual(['Name', 'Age']);
    expect(plain.rows[0]!.cells).toEqual(['n', '5s']);
  });

  it('scale, select and warn as the definition says', () => {
    const [kind] = customKinds(
      definition({
        deprecated: true,
        selectableFields: [{ jsonPath: '.spec.cidr' }],
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.replicas',
            labelSelectorPath: '.status.selector',
          },
        },
      }),
    );
    const object = network({ cidr: '10.' }, { status: { selector: 'a=b' } });
    expect(kind!.scale).toMatchObject({ specReplicas: 'spec.replicas', statusReplicas: 'status.replicas' });
    expect(kind!.scale!.selector!(object)).toBe('a=b');
    expect(kind!.scale!.selector!(network({}))).toBe('');
    expect(kind!.fieldSelectors!['spec.cidr']!(object)).toBe('10.');
    expect(kind!.warnings!(object)).toEqual(['samplecrd.example.com/v1 Network is deprecated']);
    expect(kind!.subresources!.map((s) => s.name)).toEqual(['status', 'scale']);
  });
});
