import { describe, expect, it } from 'vitest';
import { decideNames, namesTakenBeside } from '../../../src/kube/crd/definition-names.js';
import { validateDefinition, validateDefinitionUpdate } from '../../../src/kube/crd/definition-validation.js';
import { checkStructural } from '../../../src/kube/crd/structural-rules.js';
import { copyJson } from '../../../src/kube/machinery/json-value.js';
import { definition } from './sample.js';

const lines = (errors: readonly { field: string; message: string }[]): string[] =>
  errors.map((e) => `${e.field}: ${e.message}`);
const structural = (schema: any): string[] => lines(checkStructural(schema, 's'));
const under = (member: any): string[] => structural({ type: 'object', properties: { a: member } });

describe('structural schemas', () => {
  it('keep to the rules', () => {
    const rows: [string[], string[]][] = [
      [structural({ type: 'object' }), []],
      [structural({}), ['s.type: Required value: must not be empty at the root']],
      [
        structural({ type: 'array', items: { type: 'string' } }),
        ['s.type: Invalid value: "array": must be object at the root'],
      ],
      [under({}), ['s.properties[a].type: Required value: must not be empty for specified object fields']],
      [under({ 'x-kubernetes-preserve-unknown-fields': true }), []],
      [under({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }), []],
      [
        under({ type: 'array', items: {} }),
        ['s.properties[a].items.type: Required value: must not be empty for specified array items'],
      ],
      [under({ type: 'array' }), ['s.properties[a].items: Required value: must be specified']],
      [
        under({ type: 'what' }),
        [
          's.properties[a].type: Unsupported value: "what": supported values: "array", "boolean", "integer", "number", "object", "string"',
        ],
      ],
      [
        under({ type: 'object', properties: { b: { type: 'string' } }, additionalProperties: { type: 'string' } }),
        ['s.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive'],
      ],
      [under({ type: 'object', $ref: '#/x' }), ['s.properties[a].$ref: Forbidden: $ref is not supported']],
      [
        under({ type: 'array', items: { type: 'string' }, uniqueItems: true }),
        [
          's.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
        ],
      ],
      [
        under({ type: 'integer', allOf: [{ minimum: 1, type: 'integer' }] }),
        ['s.properties[a].allOf[0].type: Forbidden: must be empty to be structural'],
      ],
      [
        under({ type: 'object', not: { properties: { b: { description: 'x' } } } }),
        ['s.properties[a].not.properties[b].description: Forbidden: must be empty to be structural'],
      ],
      [
        under({ type: 'string', pattern: '(' }),
        ['s.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t'],
      ],
      [
        under({ type: 'string', default: 5 }),
        ['s.properties[a].default: Invalid value: "integer": default in body must be of type string: "integer"'],
      ],
      [under({ type: 'string', default: 'x' }), []],
      [
        under({ type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'map' }),
        [
          's.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map',
        ],
      ],
      [
        structural({
          type: 'object',
          properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 5 } } } },
        }),
        [],
      ],
      [
        structural({
          type: 'object',
          properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
        }),
        [
          's.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
        ],
      ],
    ];
    for (const [found, expected] of rows) expect(found).toEqual(expected);
  });

  it('that are nested without end are refused, not walked', () => {
    let schema: any = { type: 'string' };
    for (let i = 0; i < 2000; i++) schema = { type: 'array', items: schema };
    expect(under(schema).join()).toMatch('nested deeper than 100 levels');
  });
});

describe('definitions', () => {
  it('are valid when they say all that is needed', () => {
    expect(lines(validateDefinition(definition()))).toEqual([]);
    const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };
    expect(lines(validateDefinition(definition({ subresources: { status: {}, scale } })))).toEqual([]);
  });

  it('are refused in known words', () => {
    const refused = (...args: Parameters<typeof definition>): string[] =>
      lines(validateDefinition(definition(...args)));
    expect(refused({}, {}, { name: 'x' })).toEqual([
      'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group',
    ]);
    expect(refused({}, { scope: 'World' })).toEqual([
      'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"',
    ]);
    expect(refused({ storage: false })).toEqual([
      'spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage version',
    ]);
    expect(refused([{}, {}])).toEqual(['spec.versions: Invalid value: ["v1","v1"]: must contain unique version names']);
    expect(refused({ schema: {} })).toEqual([
      'spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required',
    ]);
    expect(refused({}, { conversion: { strategy: 'Webhook' } })[0]).toMatch(
      /^spec.conversion.strategy: Forbidden: conversion by webhook is not supported/,
    );
    expect(refused({}, { names: { listKind: 'Network' } })).toEqual([
      'spec.names.listKind: Invalid value: "Network": kind and listKind may not be the same',
    ]);
    expect(refused({}, { names: { kind: 'Net_work' } })[0]).toMatch(/^spec.names.singular: /);
    expect(refused({ subresources: { scale: { specReplicasPath: '.status.x', statusReplicasPath: '' } } })).toEqual([
      'spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".status.x": should be a json path under .spec',
      'spec.versions[0].subresources.scale.statusReplicasPath: Required value',
    ]);
    expect(
      refused({ additionalPrinterColumns: [{ name: 'A', type: 'what', jsonPath: 'x' }] }).map((l) => l.split(':')[0]),
    ).toEqual([
      'spec.versions[0].additionalPrinterColumns[0].type',
      'spec.versions[0].additionalPrinterColumns[0].JSONPath',
    ]);
    expect(refused({ selectableFields: [{ jsonPath: '.spec.a[0]' }] })[0]).toMatch('is an invalid path');
    const protectedGroup = { metadata: { name: 'networks.samplecrd.k8s.io' }, spec: { group: 'samplecrd.k8s.io' } };
    const needs = refused({}, protectedGroup.spec, protectedGroup.metadata);
    expect(needs).toEqual([
      'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
    ]);
    const annotations = { 'api-approved.kubernetes.io': 'unapproved, experimental-only' };
    expect(refused({}, protectedGroup.spec, { ...protectedGroup.metadata, annotations })).toEqual([]);
  });

  it('do not change their group, scope or kind', () => {
    const old = definition();
    old.status = { conditions: [{ type: 'Established', status: 'True' }] };
    const next = copyJson(old);
    next.spec.scope = 'Cluster';
    next.spec.names.kind = 'Other';
    expect(lines(validateDefinitionUpdate(next, old))).toEqual([
      'spec.scope: Invalid value: "Cluster": field is immutable',
      'spec.names.kind: Invalid value: "Other": field is immutable',
    ]);
    expect(validateDefinitionUpdate(old, old)).toEqual([]);
    old.status.storedVersions = ['v0', 'v1'];
    expect(lines(validateDefinition(old))).toEqual([
      'status.storedVersions[0]: Invalid value: "v0": must appear in spec.versions',
    ]);
  });

  it('get names that nobody else has', () => {
    const first = definition();
    first.status = { acceptedNames: first.spec.names };
    const second = definition({}, { names: { plural: 'nets', singular: 'net', kind: 'Net', shortNames: [] } });
    const taken = namesTakenBeside(second, [], [first, second]);
    expect(decideNames(second, taken)).toEqual({
      acceptedNames: { plural: '', kind: '' },
      conditions: [
        { type: 'NamesAccepted', status: 'False', reason: 'SingularConflict', message: '"net" is already in use' },
        { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' },
      ],
    });
    expect(decideNames(first, namesTakenBeside(first, [], [first, second])).conditions.map((c) => c.status)).toEqual([
      'True',
      'True',
    ]);
  });
});
