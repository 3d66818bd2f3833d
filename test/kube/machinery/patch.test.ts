import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/kube/machinery/api-error.js';
import { applyJsonPatch, JSON_PATCH_OPERATIONS_MAX } from '../../../src/kube/machinery/json-patch.js';
import { copyJson } from '../../../src/kube/machinery/json-value.js';
import { applyMergePatch } from '../../../src/kube/machinery/merge-patch.js';
import { applyStrategicPatch } from '../../../src/kube/machinery/strategic-patch.js';
import { schemaOf } from '../../../src/kube/machinery/types/index.js';
import { check } from '../../support/fc.js';
import { kubectl, patchLocally } from './kubectl-local.js';
import type { PatchCase } from './patch-cases.js';
import { PATCH_CASES } from './patch-cases.js';

function ours({ type, object, patch }: PatchCase): { object: unknown } | { error: string } {
  const before = JSON.stringify([object, patch]);
  try {
    const schema = schemaOf(object.kind === 'Deployment' ? 'apps.v1/Deployment' : 'core.v1/Pod');
    if (type === 'json') return { object: applyJsonPatch(object, patch) };
    if (type === 'merge') return { object: applyMergePatch(object, patch) };
    return { object: applyStrategicPatch(schema, object, patch) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { error: error.message };
  } finally {
    expect(JSON.stringify([object, patch]), 'arguments are left alone').toBe(before);
  }
}

describe('patches', () => {
  for (const example of PATCH_CASES) {
    it(`${example.type}: ${example.name}`, () => {
      const result = ours(example);
      if (example.error === undefined) {
        expect(result).not.toHaveProperty('error');
        if (example.result !== undefined) expect(result).toEqual({ object: example.result });
      } else {
        expect(result).toHaveProperty('error');
        expect((result as { error: string }).error.startsWith(example.error)).toBe(true);
      }
    });
  }

  describe.skipIf(kubectl === undefined)('as the real kubectl does them (needs KEEL_TEST_KUBECTL_BIN)', () => {
    for (const example of PATCH_CASES) {
      if (example.differs === true) continue;
      it(`${example.type}: ${example.name}`, () => {
        const theirs = patchLocally(example.object, example.type, example.patch);
        const mine = ours(example);
        if ('error' in theirs) {
          expect(mine).toHaveProperty('error');
          if (example.type === 'strategic') expect((mine as { error: string }).error.trim()).toBe(theirs.error.trim());
        } else expect(mine).toEqual(theirs);
      });
    }
  });
});

describe('JSON patch', () => {
  it('refuses in the words of the API server', () => {
    const refusal = (patch: any): ApiError => {
      try {
        applyJsonPatch({ a: 1 }, patch);
      } catch (error) {
        return error as ApiError;
      }
      throw new Error('not refused');
    };
    const failed = refusal([{ op: 'test', path: '/a', value: 2 }]);
    expect(failed.toStatus()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'the server rejected our request due to an error in our request',
      reason: 'Invalid',
      details: {},
      code: 422,
    });
    expect(refusal({ op: 'test' }).code).toBe(400);
    expect(refusal([1]).code).toBe(400);
    const many = new Array(JSON_PATCH_OPERATIONS_MAX + 1).fill({ op: 'test', path: '/a', value: 1 });
    expect(refusal(many).code).toBe(413);
    expect(applyJsonPatch({ a: 1 }, many.slice(1))).toEqual({ a: 1 });
  });

  it('takes __proto__ for a name like any other', () => {
    const patch = JSON.parse('[{"op":"add","path":"/data/__proto__","value":{"polluted":"x"}}]');
    const result = applyJsonPatch({ data: {} }, patch);
    expect(JSON.stringify(result)).toBe('{"data":{"__proto__":{"polluted":"x"}}}');
    expect(({} as any).polluted).toBeUndefined();
    const merged = applyMergePatch({ data: {} }, JSON.parse('{"data":{"__proto__":{"polluted":"x"}}}'));
    expect(JSON.stringify(merged)).toBe('{"data":{"__proto__":{"polluted":"x"}}}');
    expect(Object.keys(copyJson(result))).toEqual(['data']);
  });
});

describe('merge patch', () => {
  it('leads from any object to any other without nulls', () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, fc.constantFrom(1, 'x', true), fc.array(fc.integer()), tie('object')),
      object: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value')),
    }));
    const diff = (a: any, b: any): any => {
      const patch: any = {};
      for (const k of Object.keys(a)) if (!(k in b)) patch[k] = null;
      for (const k of Object.keys(b)) {
        const both = [a[k], b[k]].every((v) => typeof v === 'object' && !Array.isArray(v));
        patch[k] = both ? diff(a[k], b[k]) : b[k];
      }
      return patch;
    };
    check(
      fc.property(value.object, value.object, (a: any, b: any) => {
        expect(applyMergePatch(a, diff(a, b))).toEqual(b);
      }),
    );
  });
});
