import { describe, expect, test } from 'vitest';
import { discoveryVersion, negotiate, negotiateEncoding } from '../../../src/kube/server/negotiation.js';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const OLD_TABLE = 'application/json;as=Table;v=v1beta1;g=meta.k8s.io';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';

describe('which form an answer takes', () => {
  test.each([
    [undefined, 'json object'],
    ['', 'json object'],
    ['*/*', 'json object'],
    ['application/*', 'json object'],
    ['application/json, */*', 'json object'],
    [`${PROTOBUF},application/json`, 'json object'],
    [`${PROTOBUF}, */*`, 'json object'],
    [`${TABLE},${OLD_TABLE},application/json`, 'json table'],
    [`${OLD_TABLE},application/json`, 'json object'],
    [`${TABLE};extra=1`, 'json table'],
    ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'json metadata'],
    ['application/json;as=Nope;v=v1;g=meta.k8s.io,application/json', 'json object'],
    ['application/yaml', 'yaml object'],
    ['application/json;q=0.1, application/yaml;q=0.9', 'yaml object'],
    ['application/yaml;q=0, application/json', 'json object'],
    ['APPLICATION/JSON', 'json object'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'json object'],
  ])('%j: %s', (accept, expected) => {
    const { encoding, view } = negotiate(accept, true);
    expect(`${encoding} ${view}`).toBe(expected);
  });

  test.each(['text/html', PROTOBUF, 'application/cbor', 'application/json;q=0', TABLE.replace('v1', 'v9')])(
    '%j: 406',
    (accept) => {
      expect(() => negotiate(accept, true)).toThrow('only the following media types are accepted: application/json');
    },
  );

  test('where there are no tables the next one is taken', () => {
    expect(negotiate(`${TABLE},application/yaml`, false)).toMatchObject({ encoding: 'yaml', view: 'object' });
    expect(negotiateEncoding(`${TABLE},application/json`)).toMatchObject({ encoding: 'json', view: 'object' });
  });

  test('aggregated discovery, before or behind the plain form', () => {
    const aggregated = (version: string) =>
      `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    expect(discoveryVersion(`${aggregated('v2')},${aggregated('v2beta1')},application/json`)).toBe('v2');
    expect(discoveryVersion(`${aggregated('v2beta1')},application/json`)).toBe('v2beta1');
    expect(discoveryVersion(`application/json,${aggregated('v2')}`)).toBeNull();
    expect(discoveryVersion(`${aggregated('v9')},application/json`)).toBeNull();
    expect(discoveryVersion(undefined)).toBeNull();
  });
});
