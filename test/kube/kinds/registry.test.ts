import { describe, expect, test } from 'vitest';
import { builtinKindList, builtinKinds } from '../../../src/kube/kinds/index.js';
import type { Kind } from '../../../src/kube/kinds/kind.js';

const kinds = builtinKindList();
const name = (kind: Kind) => `${kind.plural}.${kind.version}.${kind.group}`;

describe('the built-in kinds', () => {
  test('have one plural, one kind and one short name each in their group and version', () => {
    const seen = new Map<string, string>();
    for (const kind of kinds) {
      const scope = `${kind.group}/${kind.version}`;
      for (const word of [
        `plural ${kind.plural}`,
        `kind ${kind.kind}`,
        ...(kind.shortNames ?? []).map((s) => `short ${s}`),
      ]) {
        const key = `${scope} ${word}`;
        expect(seen.get(key), key).toBeUndefined();
        seen.set(key, name(kind));
      }
    }
  });

  test.each(kinds.map((kind) => [name(kind), kind] as const))('%s is whole', (_name, kind) => {
    expect(kind.singular).toBe(kind.kind.toLowerCase());
    expect(kind.plural).toMatch(/^[a-z]+$/);
    expect(kind.storageDir).toMatch(/^[a-z0-9.]+(\/[a-z]+)?$/);
    expect(kind.description).toMatch(/^[A-Z].*\.$/);
    expect(kind.schema.properties?.().get('metadata')).toBeDefined();
    const subresources = (kind.subresources ?? []).map((s) => s.name);
    expect(new Set(subresources).size).toBe(subresources.length);
    expect(subresources.includes('status')).toBe(kind.hasStatus);
    expect(subresources.includes('scale')).toBe(kind.scale !== undefined);
    for (const s of subresources) expect(s).toMatch(/^[a-z]+$/);
    const columns = kind.columns ?? [];
    expect(new Set(columns.map((c) => c.name)).size).toBe(columns.length);
    expect((kind.columns === undefined) === (kind.cells === undefined)).toBe(true);
    if (kind.columns !== undefined)
      expect(columns.filter((c) => c.format === 'name').map((c) => c.name)).toEqual(['Name']);
  });

  test('one resource has all its versions side by side, and kinds of one folder the same scope', () => {
    const byResource = new Map<string, number[]>();
    kinds.forEach((kind, i) => {
      const key = `${kind.group}/${kind.plural}`;
      byResource.set(key, [...(byResource.get(key) ?? []), i]);
    });
    for (const [key, at] of byResource) expect(at.at(-1)! - at[0]!, key).toBe(at.length - 1);
    const byFolder = new Map<string, boolean>();
    for (const kind of kinds) {
      expect(byFolder.get(kind.storageDir) ?? kind.namespaced, kind.storageDir).toBe(kind.namespaced);
      byFolder.set(kind.storageDir, kind.namespaced);
    }
  });
});

describe('the registry', () => {
  const custom = (version: string, group = 'example.com'): Kind => ({
    ...kinds[0]!,
    group,
    version,
    kind: 'Network',
    plural: 'networks',
    singular: 'network',
  });

  test('finds by resource and by kind', () => {
    const registry = builtinKinds();
    expect(registry.find('', 'v1', 'pods')?.kind).toBe('Pod');
    expect(registry.find('', 'v2', 'pods')).toBeUndefined();
    expect(registry.findKind('apps', 'v1', 'Deployment')?.plural).toBe('deployments');
    expect(registry.findResource('apps', 'deployments')?.kind).toBe('Deployment');
  });

  test('takes custom kinds in and lets them go, and counts', () => {
    const registry = builtinKinds();
    const before = registry.generation;
    const count = registry.all().length;
    registry.add(custom('v2'), custom('v1'));
    expect(registry.generation).toBeGreaterThan(before);
    expect(registry.all()).toHaveLength(count + 2);
    expect(registry.findResource('example.com', 'networks')?.version).toBe('v2');
    registry.add(custom('v1', 'another.com'));
    expect(registry.all().at(-3)?.group).toBe('another.com');
    expect(registry.remove('example.com', 'networks', 'v2')).toBe(true);
    expect(registry.findResource('example.com', 'networks')?.version).toBe('v1');
    expect(registry.remove('example.com', 'networks')).toBe(true);
    expect(registry.find('example.com', 'v1', 'networks')).toBeUndefined();
    const now = registry.generation;
    expect(registry.remove('example.com', 'networks')).toBe(false);
    expect(registry.generation).toBe(now);
  });

  test('does not let a built-in kind be replaced', () => {
    expect(() => builtinKinds().add({ ...kinds[0]! })).toThrow(/built in/);
  });
});
