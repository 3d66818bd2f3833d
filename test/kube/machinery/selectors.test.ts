import { describe, expect, it } from 'vitest';
import type { ApiError } from '../../../src/kube/machinery/api-error.js';
import {
  checkFieldSelector,
  labelSelectorCell,
  labelSelectorOf,
  labelSelectorOfMap,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  parseSelection,
  printFieldSelector,
  printLabelSelector,
  validateLabelSelector,
} from '../../../src/kube/machinery/selectors.js';

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    expect((error as ApiError).code).toBe(400);
    return (error as ApiError).message;
  }
  throw new Error('not refused');
};

describe('label selectors', () => {
  const rows: [string, string, (Record<string, string> | undefined)[], (Record<string, string> | undefined)[]][] = [
    ['', '', [{}, { a: 'b' }, undefined], []],
    ['a=b', 'a=b', [{ a: 'b' }], [{}, { a: 'c' }, undefined]],
    [' a == b , c ', 'a==b,c', [{ a: 'b', c: '' }], [{ a: 'b' }]],
    ['a!=b', 'a!=b', [{}, { a: 'c' }], [{ a: 'b' }]],
    ['c in (x,b), a', 'a,c in (b,x)', [{ a: '', c: 'x' }], [{ c: 'x' }, { a: '', c: 'y' }]],
    ['a notin (b, c)', 'a notin (b,c)', [{}, { a: 'd' }], [{ a: 'c' }]],
    ['a in ()', 'a in ()', [{ a: '' }], [{ a: 'x' }]],
    ['a in (,,x,)', 'a in (,x)', [{ a: '' }, { a: 'x' }], [{ a: 'y' }]],
    ['!a', '!a', [{}], [{ a: '' }]],
    ['a>5,a<9', 'a>5,a<9', [{ a: '6' }], [{ a: '5' }, { a: '9' }, {}, { a: 'x' }]],
    ['a=', 'a=', [{ a: '' }], [{}, { a: 'x' }]],
    ['in in (notin)', 'in in (notin)', [{ in: 'notin' }], [{}]],
    ['example.com/a=b', 'example.com/a=b', [{ 'example.com/a': 'b' }], [{}]],
  ];
  for (const [text, printed, yes, no] of rows) {
    it(`"${text}"`, () => {
      const selector = parseLabelSelector(text);
      expect(printLabelSelector(selector)).toBe(printed);
      for (const labels of yes) expect([labels, matchesLabels(selector, labels)]).toEqual([labels, true]);
      for (const labels of no) expect([labels, matchesLabels(selector, labels)]).toEqual([labels, false]);
    });
  }

  it('that cannot be read say why, as the upstream parser does', () => {
    const rows: [string, string][] = [
      ['a=b=c', "found '=', expected: ',' or 'end of string'"],
      ['!a=b', "found '=', expected: ',' or 'end of string'"],
      ['a in (b c)', "unable to parse requirement: found 'c', expected: ',' or ')'"],
      ['a ==> b', "unable to parse requirement: found '>', expected: identifier"],
      ['a in (=)', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
      [',a', "found ',', expected: !, identifier, or 'end of string'"],
      ['a==b,', "found '', expected: identifier after ','"],
      ['!=a', "found '!=', expected: !, identifier, or 'end of string'"],
      ['!', "unable to parse requirement: found '', expected: identifier"],
      ['a=,=', "found '=', expected: identifier after ','"],
      ['a in b', "unable to parse requirement: found 'b' expected: '('"],
      ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
      ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
      ['a==(', "unable to parse requirement: found '(', expected: identifier"],
      [
        'a>b',
        "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
      ],
    ];
    for (const [text, message] of rows)
      expect([text, refusal(() => parseLabelSelector(text))]).toEqual([text, message]);
    expect(refusal(() => parseLabelSelector('a$=b'))).toMatch(
      /^unable to parse requirement: <nil>: Invalid value: "a\$": name part must/,
    );
    expect(refusal(() => parseLabelSelector('a=b$'))).toMatch(
      /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "b\$": a valid label/,
    );
  });

  it('of objects', () => {
    const selector = labelSelectorOf({
      matchLabels: { b: '1' },
      matchExpressions: [
        { key: 'a', operator: 'NotIn', values: ['y', 'x'] },
        { key: 'c', operator: 'Exists' },
        { key: 'd', operator: 'DoesNotExist', values: [] },
      ],
    });
    expect(printLabelSelector(selector)).toBe('a notin (x,y),b=1,c,!d');
    expect(matchesLabels(selector, { b: '1', c: '' })).toBe(true);
    expect(matchesLabels(labelSelectorOf({}), { x: 'y' })).toBe(true);
    expect(matchesLabels(labelSelectorOf(null), {})).toBe(false);
    expect(matchesLabels(labelSelectorOf({ matchExpressions: [{ key: 'a', operator: 'What' }] }), {})).toBe(false);
    expect(matchesLabels(labelSelectorOfMap({}), {})).toBe(false);
    expect(matchesLabels(labelSelectorOfMap({ a: 'b' }), { a: 'b' })).toBe(true);
    expect(labelSelectorCell({})).toBe('<none>');
    expect(labelSelectorCell({ matchLabels: { toString: 'x' } })).toBe('toString=x');
    expect(matchesLabels(labelSelectorOf({ matchExpressions: [{ key: 'toString', operator: 'Exists' }] }), {})).toBe(
      false,
    );
  });

  it('of objects are validated', () => {
    const errors = validateLabelSelector(
      {
        matchLabels: { 'a b': 'c' },
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: 'a', operator: 'Exists', values: ['x'] },
          { key: 'a', operator: 'What' },
        ],
      },
      'spec.selector',
    );
    expect(errors.map((e) => [e.field, e.type])).toEqual([
      ['spec.selector.matchLabels', 'FieldValueInvalid'],
      ['spec.selector.matchExpressions[0].values', 'FieldValueRequired'],
      ['spec.selector.matchExpressions[1].values', 'FieldValueForbidden'],
      ['spec.selector.matchExpressions[2].operator', 'FieldValueInvalid'],
    ]);
    expect(validateLabelSelector({ matchLabels: { a: 'b' } }, 'x')).toEqual([]);
  });
});

describe('field selectors', () => {
  const readers = { 'status.phase': (o: any) => o.status?.phase ?? '' };
  const object: any = { metadata: { name: 'n', namespace: 's' }, status: { phase: 'a,b=c\\' } };

  it('are read, matched and printed', () => {
    const terms = parseFieldSelector('status.phase=a\\,b\\=c\\\\,metadata.name!=m,metadata.namespace==s');
    checkFieldSelector(terms, readers);
    expect(matchesFields(terms, object, readers)).toBe(true);
    expect(printFieldSelector(terms)).toBe('metadata.name!=m,metadata.namespace=s,status.phase=a\\,b\\=c\\\\');
    expect(parseFieldSelector('')).toEqual([]);
    expect(parseFieldSelector('a=')).toEqual([{ field: 'a', value: '', negated: false }]);
    expect(matchesFields(parseFieldSelector('metadata.name!=n'), object, readers)).toBe(false);
  });

  it('are refused when they cannot be read or answered', () => {
    expect(refusal(() => parseFieldSelector('data'))).toBe("invalid selector: 'data'; can't understand 'data'");
    expect(refusal(() => parseFieldSelector('a=b\\c'))).toMatch('invalid escape sequence');
    expect(refusal(() => parseFieldSelector('a=b=c'))).toBe('invalid field selector: unescaped character in value: 61');
    expect(refusal(() => checkFieldSelector(parseFieldSelector('data=x'), readers))).toBe(
      'field label not supported: data',
    );
    expect(refusal(() => checkFieldSelector(parseFieldSelector('data=x'), undefined))).toBe(
      '"data" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });

  it('and labels make one filter', () => {
    expect(parseSelection(null, undefined, undefined)).toMatchObject({ name: undefined, filter: undefined });
    expect(parseSelection('', 'metadata.name=n', undefined)).toMatchObject({ name: 'n', filter: undefined });
    const both = parseSelection('a=b', 'metadata.name=n,metadata.namespace=s', undefined);
    expect(both.name).toBe('n');
    expect(both.filter!({ ...object, metadata: { ...object.metadata, labels: { a: 'b' } } })).toBe(true);
    expect(both.filter!(object)).toBe(false);
    const torn = parseSelection('', 'metadata.name=n,metadata.name=m', undefined);
    expect(torn.filter!({ ...object, metadata: { name: torn.name! } })).toBe(false);
  });
});
