import { describe, expect, it } from 'vitest';
import { validateMetadata, validateMetadataUpdate } from '../../../src/kube/machinery/metadata-validation.js';
import type { ObjectMeta, OwnerReference } from '../../../src/kube/machinery/object.js';

const RULES = { namespaced: true, strictFinalizers: true };
const texts = (metadata: ObjectMeta, rules: Partial<typeof RULES> = {}) =>
  validateMetadata({ name: 'a', namespace: 'd', ...metadata }, { ...RULES, ...rules }).map(
    (e) => `${e.field}: ${e.message}`,
  );
const owner = (more: Partial<OwnerReference>): OwnerReference => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'rs',
  uid: 'u',
  ...more,
});

describe('metadata', () => {
  it('needs a name, and a namespace where there is one', () => {
    expect(texts({})).toEqual([]);
    expect(texts({ name: '', namespace: '' })).toEqual([
      'metadata.name: Required value: name or generateName is required',
      'metadata.namespace: Required value',
    ]);
    expect(texts({}, { namespaced: false })).toEqual(['metadata.namespace: Forbidden: not allowed on this type']);
    expect(texts({ generateName: 'A-' })[0]).toMatch(/^metadata.generateName: Invalid value: "A-": a lowercase/);
    expect(texts({ generateName: 'a-' })).toEqual([]);
    expect(texts({ namespace: 'a.b' })).toEqual(['metadata.namespace: Invalid value: "a.b": must not contain dots']);
  });

  it('has finalizers that are known or have a domain', () => {
    expect(texts({ finalizers: ['orphan', 'kubernetes', 'example.com/x'] })).toEqual([]);
    expect(texts({ finalizers: ['x'] })).toEqual([
      'metadata.finalizers: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
    ]);
    expect(texts({ finalizers: ['x'] }, { strictFinalizers: false })).toEqual([]);
    expect(texts({ finalizers: ['a b/c'] })[0]).toContain('metadata.finalizers: Invalid value: "a b/c": prefix part');
    expect(texts({ finalizers: ['orphan', 'foregroundDeletion'] })).toEqual([
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    ]);
  });

  it('names its owners, one of them the controller', () => {
    expect(texts({ ownerReferences: [owner({ controller: true }), owner({ name: 'b' })] })).toEqual([]);
    expect(texts({ ownerReferences: [owner({ kind: '', name: '', uid: '' })] })).toEqual([
      'metadata.ownerReferences.kind: Invalid value: "": kind must not be empty',
      'metadata.ownerReferences.name: Invalid value: "": name must not be empty',
      'metadata.ownerReferences.uid: Invalid value: "": uid must not be empty',
    ]);
    expect(texts({ ownerReferences: [owner({ apiVersion: '' })] })).toEqual([
      'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
    ]);
    expect(texts({ ownerReferences: [owner({ apiVersion: 'v1', kind: 'Event' })] })[0]).toMatch(
      /: \/v1, Kind=Event is disallowed from being an owner$/,
    );
    const two = [owner({ controller: true }), owner({ name: 'b', controller: true })];
    expect(texts({ ownerReferences: two })[0]).toMatch(
      /: Only one reference can have Controller set to true. Found "true" in references for rs and b$/,
    );
  });

  it('keeps what is for good', () => {
    const old = { name: 'a', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' };
    expect(validateMetadataUpdate({ ...old, labels: { a: 'b' } }, old)).toEqual([]);
    const changed = validateMetadataUpdate({ ...old, uid: 'v', deletionTimestamp: '2026-01-01T00:00:00Z' }, old);
    expect(changed.map((e) => `${e.field}: ${e.message}`)).toEqual([
      'metadata.uid: Invalid value: "v": field is immutable',
      'metadata.deletionTimestamp: Invalid value: "2026-01-01T00:00:00Z": field is immutable',
    ]);
    const deleting = { ...old, deletionTimestamp: '2026-01-02T00:00:00Z', finalizers: ['a/b', 'a/c'] };
    expect(validateMetadataUpdate({ ...deleting, finalizers: ['a/c'] }, deleting)).toEqual([]);
    expect(validateMetadataUpdate({ ...deleting, finalizers: ['a/d'] }, deleting)[0]?.message).toBe(
      'Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/d"}',
    );
  });
});
