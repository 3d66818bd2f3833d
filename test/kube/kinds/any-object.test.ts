/** Every kind against objects of any shape that its schema allows: nothing throws, defaults are filled in once. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtinKindList } from '../../../src/kube/kinds/index.js';
import type { Kind } from '../../../src/kube/kinds/kind.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { apiVersionOf } from '../../../src/kube/machinery/object.js';
import type { Schema } from '../../../src/kube/machinery/schema.js';
import { check } from '../../support/fc.js';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const DEPTH = 7;

const WORDS = [
  '',
  'a',
  'web',
  'TCP',
  'Always',
  'RollingUpdate',
  'ClientIP',
  'LoadBalancer',
  'NodePort',
  'ExternalName',
  'None',
  '10.96.0.1',
  'x/y',
  '..',
  '*/5 * * * *',
  'nginx:1.25',
  'Container',
  'Exists',
  'In',
];
const TIMES = ['2026-07-01T10:00:00Z', '2026-07-01T11:59:57Z', '2027-01-01T00:00:00Z'];
const QUANTITIES = ['0', '1', '500m', '1Gi', '-1', '1e3', '0.5'];

function textOf(schema: Schema): fc.Arbitrary<unknown> {
  switch (schema.format) {
    case 'quantity':
      return fc.constantFrom(...QUANTITIES);
    case 'date-time':
      return fc.constantFrom(...TIMES);
    case 'micro-time':
      return fc.constantFrom(...TIMES.map((t) => t.replace('Z', '.000000Z')));
    case 'byte':
      return fc.constantFrom('', 'YQ==', 'e30=');
    default:
      return fc.constantFrom(...WORDS);
  }
}

function anyOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'string':
      return textOf(schema);
    case 'integer':
    case 'number':
      return fc.constantFrom(0, 1, 2, 80, 30080, -1, 70000);
    case 'boolean':
      return fc.boolean();
    case 'int-or-string':
      return fc.constantFrom<unknown>(0, 80, 'http', '25%', '0%', '200%');
    case 'any':
      return fc.constantFrom<unknown>({}, { a: 1 }, true);
    case 'array':
      if (depth <= 0 || schema.items === undefined) return fc.constant([]);
      return fc.array(anyOf(schema.items, depth - 1), { maxLength: 2 });
    default:
      return depth <= 0 ? fc.constant({}) : structOf(schema, depth);
  }
}

function structOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if (schema.properties === undefined) {
    if (schema.additionalProperties === undefined) return fc.constant({});
    const keys = fc.constantFrom('app', 'cpu', 'memory', 'a b', 'example.com/gpu', 'storage');
    return fc.dictionary(keys, anyOf(schema.additionalProperties, depth - 1), { maxKeys: 2 });
  }
  const members = [...schema.properties()];
  // A few members at a time: whole structs of this size would drown what they have to say.
  return fc
    .subarray(members, { maxLength: Math.min(members.length, 6) })
    .chain((some) => fc.record(Object.fromEntries(some.map(([name, member]) => [name, anyOf(member, depth - 1)]))));
}

function objectOf(kind: Kind): fc.Arbitrary<KubeObject> {
  const members = [...(kind.schema.properties?.() ?? [])].filter(
    ([name]) => !['apiVersion', 'kind', 'metadata'].includes(name),
  );
  const metadata = {
    name: 'x',
    uid: 'u-1',
    creationTimestamp: '2026-07-01T10:00:00Z',
    ...(kind.namespaced ? { namespace: 'default' } : {}),
  };
  const labels = fc.constantFrom<Record<string, string> | undefined>(undefined, { app: 'web' });
  return fc
    .tuple(
      labels,
      fc.record(Object.fromEntries(members.map(([name, schema]) => [name, anyOf(schema, DEPTH)])), {
        requiredKeys: [],
      }),
    )
    .map(([some, rest]) => ({
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: { ...metadata, ...(some === undefined ? {} : { labels: { ...some } }) },
      ...(rest as object),
    }));
}

const kinds = builtinKindList();

describe.each(kinds.map((kind) => [`${kind.kind} ${apiVersionOf(kind)}`, kind] as const))('%s', (_name, kind) => {
  test('fills in defaults once', () => {
    check(
      fc.property(objectOf(kind), (object) => {
        kind.setDefaults?.(object);
        const once = structuredClone(object);
        kind.setDefaults?.(object);
        expect(object).toEqual(once);
      }),
      { runs: 60 },
    );
  });

  test('takes anything of its shape', () => {
    check(
      fc.property(objectOf(kind), objectOf(kind), (object, old) => {
        for (const one of [object, old]) kind.setDefaults?.(one);
        const created = structuredClone(object);
        kind.prepareForCreate?.(created);
        const updated = structuredClone(object);
        kind.prepareForUpdate?.(updated, old);
        kind.prepareForStatusUpdate?.(structuredClone(object), old);
        const errors = [
          ...(kind.validate?.(created) ?? []),
          ...(kind.validateCreate?.(created) ?? []),
          ...(kind.validateUpdate?.(updated, old) ?? []),
          ...(kind.validateStatusUpdate?.(object, old) ?? []),
        ];
        for (const error of errors) {
          expect(error.message).not.toMatch(/undefined|\[object|NaN/);
          expect(error.field).not.toMatch(/undefined|\[object|^\./);
        }
        for (const one of [object, created]) {
          const cells = kind.cells?.(one, NOW) ?? [];
          expect(cells).toHaveLength(kind.columns?.length ?? 0);
          cells.forEach((cell, i) => {
            const type = kind.columns?.[i]?.type;
            if (type === 'integer') expect(cell).toBeTypeOf('number');
            else if (type === 'boolean') expect(cell).toBeTypeOf('boolean');
            else if (type === 'string') expect(cell).toBeTypeOf('string');
          });
          for (const read of Object.values(kind.fieldSelectors ?? {})) expect(read(one)).toBeTypeOf('string');
          for (const c of kind.rowConditions?.(one) ?? []) expect(c.type).not.toBe('');
          expect(kind.graceSeconds?.(one, undefined) ?? 0).toBeGreaterThanOrEqual(0);
          kind.scale?.selector?.(one);
        }
        if (kind.toStored !== undefined) expect(kind.fromStored?.(kind.toStored(object)).metadata.name).toBe('x');
      }),
      { runs: 60 },
    );
  });

  test('takes an object with nothing in it', () => {
    const object: KubeObject = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: {} };
    expect(() => kind.cells?.(object, NOW)).not.toThrow();
    expect(() => kind.validate?.(object)).not.toThrow();
    kind.setDefaults?.(object);
    kind.prepareForCreate?.(object);
    expect(() => kind.validate?.(object)).not.toThrow();
  });
});
