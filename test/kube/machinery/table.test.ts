import { describe, expect, it } from 'vitest';
import { ageSince, humanDuration } from '../../../src/kube/machinery/age.js';
import { parseJsonPath, plainMembers, readJsonPath } from '../../../src/kube/machinery/json-path.js';
import { labelsCell, makeTable, parseIncludeObject } from '../../../src/kube/machinery/table.js';

describe('ages', () => {
  it('have at most two units', () => {
    const rows: [number, string][] = [
      [-5, '<invalid>'],
      [-2, '<invalid>'],
      [-1, '0s'],
      [0, '0s'],
      [119, '119s'],
      [120, '2m'],
      [121, '2m1s'],
      [599, '9m59s'],
      [600, '10m'],
      [3 * 3600 - 1, '179m'],
      [3 * 3600, '3h'],
      [3 * 3600 + 61, '3h1m'],
      [8 * 3600 - 1, '7h59m'],
      [8 * 3600, '8h'],
      [48 * 3600 - 1, '47h'],
      [48 * 3600, '2d'],
      [49 * 3600, '2d1h'],
      [8 * 86400 - 1, '7d23h'],
      [8 * 86400, '8d'],
      [730 * 86400 - 1, '729d'],
      [730 * 86400, '2y'],
      [731 * 86400, '2y1d'],
      [8 * 365 * 86400, '8y'],
      [9 * 365 * 86400 - 1, '8y'],
    ];
    for (const [seconds, text] of rows) expect([seconds, humanDuration(seconds * 1000)]).toEqual([seconds, text]);
  });

  it('of nothing are unknown', () => {
    expect(ageSince(undefined, 0)).toBe('<unknown>');
    expect(ageSince('', 0)).toBe('<unknown>');
    expect(ageSince('1970-01-01T00:00:00Z', 65_000)).toBe('65s');
  });
});

describe('tables', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', labels: { x: 'y' }, creationTimestamp: '1970-01-01T00:00:00Z' },
    data: { k: 'v' },
  };

  it('show name and age of a kind without columns', () => {
    const table = makeTable({}, [object], { resourceVersion: '7' }, 'Metadata', 5000);
    expect(table.metadata).toEqual({ resourceVersion: '7' });
    expect(table.columnDefinitions.map((c) => [c.name, c.type, c.format, c.priority])).toEqual([
      ['Name', 'string', 'name', 0],
      ['Age', 'string', '', 0],
    ]);
    const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
    expect(table.rows).toEqual([{ cells: ['a', '5s'], object: partial }]);
  });

  it('carry what is asked beside the cells', () => {
    const source = {
      columns: [{ name: 'Data', type: 'integer', priority: 1 }],
      cells: () => [3],
      rowConditions: () => [{ type: 'Completed', status: 'True', reason: 'Succeeded' }],
    };
    expect(makeTable(source, [object], {}, 'None', 0, false)).toEqual({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: {},
      columnDefinitions: [],
      rows: [{ cells: [3], conditions: [{ type: 'Completed', status: 'True', reason: 'Succeeded' }] }],
    });
    expect(makeTable(source, [object], {}, 'Object', 0).rows[0]!.object).toBe(object);
    expect(parseIncludeObject(null)).toBe('Metadata');
    expect(() => parseIncludeObject('All')).toThrow('All');
    expect(labelsCell({ b: '2', a: '1' })).toBe('a=1,b=2');
    expect(labelsCell({})).toBe('<none>');
  });
});

describe('JSON paths', () => {
  const value = {
    metadata: { labels: { 'app.io/x': 'l' } },
    status: {
      conditions: [
        { type: 'Ready', status: 'True', n: 3 },
        { type: 'X', status: 'False' },
      ],
      'a b': 1,
    },
  };
  const rows: [string, unknown[]][] = [
    ['.status.conditions[0].type', ['Ready']],
    ['{.status.conditions[-1].type}', ['X']],
    ['$.status.conditions[*].type', ['Ready', 'X']],
    ['status.conditions[0:1].type', ['Ready']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type=='X')].status", ['False']],
    ['.status.conditions[?(@.type != "X")].status', ['True']],
    ['.status.conditions[?(@.n)].type', ['Ready']],
    ['.status.conditions[?(@.n>=3)].type', ['Ready']],
    ['.status.conditions[?(@.n>3)].type', []],
    [".status['a b']", [1]],
    ['.metadata.labels.app\\.io/x', ['l']],
    ['.metadata.labels["app.io/x"]', ['l']],
    ['.status.nothing.at.all', []],
    ['.status.conditions[9]', []],
    ['.metadata.labels.*', ['l']],
  ];
  for (const [text, found] of rows) {
    it(text, () => expect(readJsonPath(parseJsonPath(text), value)).toEqual(found));
  }
  it('that cannot be read are refused', () => {
    for (const text of ['.a[', '.a[x]', '.a..b', '.a[?(b)]', '.a[?(@.b==c)]'])
      expect(() => parseJsonPath(text)).toThrow();
    expect(plainMembers(parseJsonPath('.spec.replicas'))).toEqual(['spec', 'replicas']);
    expect(plainMembers(parseJsonPath('.spec.a[0]'))).toBeUndefined();
  });
});
