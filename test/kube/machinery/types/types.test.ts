import { describe, expect, test } from 'vitest';
import type { Schema } from '../../../../src/kube/machinery/schema.js';
import { memberOf } from '../../../../src/kube/machinery/schema.js';
import { describedCount, describedNames } from '../../../../src/kube/machinery/types/describe.js';
import { allRefs, findMessage, isTopLevel, refOf } from '../../../../src/kube/machinery/types/groups.js';
import { schemaOf, schemaOfKind } from '../../../../src/kube/machinery/types/index.js';
import { parseLine } from '../../../../src/kube/machinery/types/line.js';

/** The schema at a path; `[]` steps into a list. */
function at(schema: Schema, path: string): Schema {
  return path.split('.').reduce((here, step) => {
    const next = step === '[]' ? here.items : memberOf(here, step);
    if (next === undefined) throw new Error(`nothing at ${step} of ${path}`);
    return next;
  }, schema);
}

describe('the tables', () => {
  test('parse, and every message they name is there', () => {
    const refs = allRefs();
    expect(refs.length).toBeGreaterThan(450);
    for (const ref of refs)
      for (const [, member] of schemaOf(ref).properties?.() ?? []) expect(member.type).toBeTruthy();
  });

  test('give each field of a message a number and a name of its own', () => {
    for (const ref of allRefs()) {
      const fields = findMessage(ref)?.fields ?? [];
      const numbers = fields.map((field) => field.number).filter((number) => number !== 0);
      expect(new Set(numbers).size, ref).toBe(numbers.length);
      expect(new Set(fields.map((field) => field.name)).size, ref).toBe(fields.length);
    }
  });

  test('refuse a line that is none', () => {
    expect(() => parseLine('Pod: 1 spec s', 'core.v1')).toThrow();
    expect(() => parseLine('Pod = 1 spec', 'core.v1')).toThrow();
    expect(() => parseLine('Pod = 1 spec s%', 'core.v1')).toThrow();
  });

  test('name kinds by group and version', () => {
    expect(refOf('', 'v1', 'Pod')).toBe('core.v1/Pod');
    expect(refOf('rbac.authorization.k8s.io', 'v1', 'Role')).toBe('rbac.v1/Role');
    expect(refOf('apps', 'v1', 'DeleteOptions')).toBe('meta.v1/DeleteOptions');
    expect(refOf('apps', 'v1', 'DeploymentList')).toBe('apps.v1/DeploymentList');
    expect(refOf('', 'v1', 'PodSpec')).toBeUndefined();
    expect(refOf('', 'v1', 'constructor')).toBeUndefined();
    expect(refOf('apps', 'v2', 'Deployment')).toBeUndefined();
    expect(isTopLevel('core.v1/PodTemplateSpec')).toBe(false);
  });
});

describe('a schema', () => {
  const deployment = schemaOf('apps.v1/Deployment');

  test('of a kind has apiVersion and kind besides its fields', () => {
    expect([...(deployment.properties?.().keys() ?? [])]).toEqual(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
    expect([...(schemaOf('core.v1/PodTemplateSpec').properties?.().keys() ?? [])]).toEqual(['metadata', 'spec']);
    expect(schemaOf('apps.v1/Deployment')).toBe(deployment);
    expect(schemaOfKind('apps', 'v1', 'Deployment')).toBe(deployment);
    expect(schemaOfKind('example.com', 'v1', 'Widget')).toBeUndefined();
  });

  test('carries the marks of its table', () => {
    const { description: _, ...replicas } = at(deployment, 'spec.replicas');
    expect(replicas).toEqual({ type: 'integer', format: 'int32', presence: true });
    expect(at(deployment, 'spec.strategy')).toMatchObject({ ref: 'apps.v1/DeploymentStrategy', retainKeys: true });
    expect(deployment.properties?.().get('spec')?.required).toEqual(['selector', 'template']);
    const pod = at(deployment, 'spec.template.spec');
    expect(at(pod, 'containers')).toMatchObject({
      type: 'array',
      always: true,
      patchMergeKey: 'name',
      listType: 'map',
      listMapKeys: ['name'],
    });
    expect(at(pod, 'containers.[].ports')).toMatchObject({
      patchMergeKey: 'containerPort',
      listMapKeys: ['containerPort', 'protocol'],
    });
    expect(at(pod, 'volumes')).toMatchObject({ patchMergeKey: 'name', retainKeys: true });
    expect(at(pod, 'nodeSelector')).toMatchObject({ mapType: 'atomic', additionalProperties: { type: 'string' } });
    expect(at(pod, 'tolerations').listType).toBeUndefined();
    expect(at(deployment, 'metadata.finalizers')).toMatchObject({ patchMerge: true, listType: 'set' });
    expect(at(deployment, 'spec.selector').mapType).toBe('atomic');
  });

  test('has the members of inlined messages as its own', () => {
    const volume = schemaOf('core.v1/Volume');
    expect(at(volume, 'emptyDir.sizeLimit').format).toBe('quantity');
    expect(memberOf(volume, 'volumeSource')).toBeUndefined();
    expect(at(schemaOf('core.v1/Probe'), 'httpGet.port').type).toBe('int-or-string');
    expect(schemaOf('core.v1/EphemeralContainer').required).toEqual(['name']);
    expect(schemaOf('core.v1/ConfigMapKeySelector').required).toEqual(['key']);
  });

  test('may contain itself', () => {
    const props = at(schemaOf('apiextensions.v1/CustomResourceDefinition'), 'spec.versions.[].schema.openAPIV3Schema');
    expect(at(props, 'properties.a.items.properties.b.additionalProperties.type').type).toBe('string');
  });

  test('has words of our own for what people ask about', () => {
    expect(describedCount()).toBeGreaterThan(450);
    expect(at(deployment, 'spec.replicas').description).toBe('How many pods. Default 1.');
    expect(at(deployment, 'spec.template.spec.containers.[].image').description).toContain('image');
    expect(at(deployment, 'spec').description).toBe('What is wanted.');
    expect(schemaOf('core.v1/Pod').description).toContain('containers');
  });

  test('never describes what the tables do not have', () => {
    for (const [ref, member] of describedNames()) {
      const members = schemaOf(ref).properties?.();
      expect(member === undefined || members?.has(member), `${ref}.${member}`).toBe(true);
    }
  });

  test('of a list has items', () => {
    const list = schemaOf('core.v1/PodList');
    expect([...(list.properties?.().keys() ?? [])]).toEqual(['apiVersion', 'kind', 'metadata', 'items']);
    expect(at(list, 'items.[]')).toBe(schemaOf('core.v1/Pod'));
    expect(() => schemaOf('core.v1/PodSpecList')).toThrow();
  });

  test('of special messages is their JSON form', () => {
    expect(at(schemaOf('coordination.v1/Lease'), 'spec.renewTime').format).toBe('micro-time');
    expect(at(schemaOf('core.v1/Secret'), 'data.x').format).toBe('byte');
    expect(at(schemaOf('authentication.v1/UserInfo'), 'extra.x')).toEqual({ type: 'array', items: { type: 'string' } });
    expect(at(schemaOf('apps.v1/ControllerRevision'), 'data').type).toBe('any');
  });
});
