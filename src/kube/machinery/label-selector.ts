/**
 * Label selectors: their text form (`app in (a,b),tier!=x,!old`), their object form (matchLabels, matchExpressions),
 * matching and printing. Source: Kubernetes labels and selectors; the texts of refusals are those clients know.
 */
import { badRequest } from './api-error.js';
import type { FieldError } from './field-error.js';
import { forbiddenField, invalid, required } from './field-error.js';
import { checkLabelValue, checkQualifiedName } from './names.js';

export type LabelOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
  /** How one value was written, to be printed so again; absent for the set forms. */
  readonly sign?: '=' | '==' | '!=';
}

/** All requirements hold. `nothing` matches no object at all (a selector that is null). */
export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[];
  readonly nothing?: boolean;
}

/** metav1.LabelSelector as it stands in objects. */
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export const EVERYTHING: LabelSelector = { requirements: [] };
export const NOTHING: LabelSelector = { requirements: [], nothing: true };

export function matchesLabels(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>> | null | undefined,
): boolean {
  if (selector.nothing === true) return false;
  for (const requirement of selector.requirements) {
    const { key } = requirement;
    const value = labels != null && Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (!meets(requirement, value)) return false;
  }
  return true;
}

function meets({ operator, values }: LabelRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default: {
      if (value === undefined || !isInteger(value)) return false;
      const found = BigInt(value);
      const bound = BigInt(values[0] ?? '0');
      return operator === 'Gt' ? found > bound : found < bound;
    }
  }
}

function isInteger(text: string): boolean {
  return /^-?\d+$/.test(text);
}

/** The object form as a selector; null and undefined select nothing, `{}` everything. Unknown operators select nothing. */
export function labelSelectorOf(object: LabelSelectorObject | null | undefined): LabelSelector {
  if (object == null) return NOTHING;
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of Object.entries(object.matchLabels ?? {})) {
    requirements.push({ key, operator: 'In', values: [value], sign: '=' });
  }
  for (const { key, operator, values } of object.matchExpressions ?? []) {
    if (operator !== 'In' && operator !== 'NotIn' && operator !== 'Exists' && operator !== 'DoesNotExist') {
      return NOTHING;
    }
    requirements.push({ key, operator, values: [...(values ?? [])].sort() });
  }
  return { requirements: sorted(requirements) };
}

/** A plain map, as ReplicationControllers and Services select; null, undefined and `{}` select nothing. */
export function labelSelectorOfMap(map: Readonly<Record<string, string>> | null | undefined): LabelSelector {
  if (map == null || Object.keys(map).length === 0) return NOTHING;
  return labelSelectorOf({ matchLabels: map });
}

function sorted(requirements: LabelRequirement[]): LabelRequirement[] {
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** The text form: `app=web,tier in (a,b)`, keys sorted; empty for everything (and for nothing). */
export function printLabelSelector(selector: LabelSelector): string {
  return selector.requirements.map(printRequirement).join(',');
}

function printRequirement({ key, operator, values, sign }: LabelRequirement): string {
  if (sign !== undefined) return `${key}${sign}${values[0] ?? ''}`;
  switch (operator) {
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'In':
      return `${key} in (${values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    default:
      return `${key}${operator === 'Gt' ? '>' : '<'}${values[0] ?? ''}`;
  }
}

/** For a Table's cell: `<none>` where there is nothing to select by. */
export function labelSelectorCell(object: LabelSelectorObject | null | undefined): string {
  return printLabelSelector(labelSelectorOf(object)) || '<none>';
}

/** What is wrong with an object form. @param field of the selector itself, `spec.selector` */
export function validateLabelSelector(object: LabelSelectorObject | null | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(object?.matchLabels ?? {})) {
    for (const why of checkQualifiedName(key)) errors.push(invalid(`${field}.matchLabels`, key, why));
    for (const why of checkLabelValue(value)) errors.push(invalid(`${field}.matchLabels`, value, why));
  }
  (object?.matchExpressions ?? []).forEach((expression, i) => {
    const at = `${field}.matchExpressions[${i}]`;
    const values = expression.values ?? [];
    switch (expression.operator) {
      case 'In':
      case 'NotIn':
        if (values.length === 0) {
          errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0) {
          const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
          errors.push(forbiddenField(`${at}.values`, why));
        }
        break;
      default:
        errors.push(invalid(`${at}.operator`, expression.operator ?? '', 'not a valid selector operator'));
    }
    for (const why of checkQualifiedName(expression.key ?? '')) {
      errors.push(invalid(`${at}.key`, expression.key ?? '', why));
    }
    values.forEach((value, v) => {
      for (const why of checkLabelValue(value)) errors.push(invalid(`${at}.values[${v}]`, value, why));
    });
  });
  return errors;
}

/** @throws ApiError 400 with the upstream parser's text */
export function parseLabelSelector(text: string): LabelSelector {
  const requirements: LabelRequirement[] = [];
  const tokens = new Tokens(text);
  for (;;) {
    const next = tokens.peek('value');
    if (next.type === 'end') return { requirements: sorted(requirements) };
    if (next.type !== 'word' && next.type !== '!') {
      throw badRequest(`found '${next.text}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(parseRequirement(tokens));
    const after = tokens.take('value');
    if (after.type === 'end') return { requirements: sorted(requirements) };
    if (after.type !== ',') throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`);
    const then = tokens.peek('value');
    if (then.type !== 'word' && then.type !== '!') {
      throw badRequest(`found '${then.text}', expected: identifier after ','`);
    }
  }
}

function unparsable(why: string): Error {
  return badRequest(`unable to parse requirement: ${why}`);
}

function parseRequirement(tokens: Tokens): LabelRequirement {
  let token = tokens.take('value');
  const absent = token.type === '!';
  if (absent) token = tokens.take('value');
  if (token.type !== 'word') throw unparsable(`found '${token.text}', expected: identifier`);
  const key = token.text;
  const wrong = checkQualifiedName(key);
  if (wrong.length > 0) throw unparsable(`<nil>: ${invalid('', key, wrong.join('; ')).message}`);
  // What follows `!key` is the caller's business.
  if (absent) return { key, operator: 'DoesNotExist', values: [] };
  const next = tokens.peek('value');
  if (next.type === 'end' || next.type === ',') return { key, operator: 'Exists', values: [] };
  const sign = tokens.take('operator');
  switch (sign.type) {
    case 'in':
    case 'notin':
      return checked({ key, operator: sign.type === 'in' ? 'In' : 'NotIn', values: parseValues(tokens) });
    case '=':
    case '==':
      return checked({ key, operator: 'In', values: [parseValue(tokens)], sign: sign.type });
    case '!=':
      return checked({ key, operator: 'NotIn', values: [parseValue(tokens)], sign: '!=' });
    case '>':
    case '<':
      return checked({ key, operator: sign.type === '>' ? 'Gt' : 'Lt', values: [parseValue(tokens)] });
    default:
      throw unparsable(`found '${sign.text}', expected: in, notin, =, ==, !=, gt, lt`);
  }
}

function checked(requirement: LabelRequirement): LabelRequirement {
  const { key, operator, values } = requirement;
  if ((operator === 'Gt' || operator === 'Lt') && !isInteger(values[0] ?? '')) {
    const why = "for 'Gt', 'Lt' operators, the value must be an integer";
    throw unparsable(`values[0]: ${invalid('', values[0], why).message}`);
  }
  values.forEach((value, i) => {
    const wrong = checkLabelValue(value);
    if (wrong.length > 0) throw unparsable(`values[${i}][${key}]: ${invalid('', value, wrong.join('; ')).message}`);
  });
  return requirement;
}

function parseValue(tokens: Tokens): string {
  const next = tokens.peek('value');
  if (next.type === 'end' || next.type === ',') return '';
  const token = tokens.take('value');
  if (token.type !== 'word') throw unparsable(`found '${token.text}', expected: identifier`);
  return token.text;
}

/** `(a,b)`; an item may be empty: `(,a)`, `()`. */
function parseValues(tokens: Tokens): string[] {
  const open = tokens.take('value');
  if (open.type !== '(') throw unparsable(`found '${open.text}' expected: '('`);
  const first = tokens.peek('value');
  if (first.type !== 'word' && first.type !== ',' && first.type !== ')') {
    throw unparsable(`found '${first.text}', expected: ',', ')' or identifier`);
  }
  const values = new Set<string>();
  for (;;) {
    if (tokens.peek('value').type === 'word') values.add(tokens.take('value').text);
    else values.add('');
    const after = tokens.take('value');
    if (after.type === ')') return [...values].sort();
    if (after.type !== ',') throw unparsable(`found '${after.text}', expected: ',' or ')'`);
    const next = tokens.peek('value');
    if (next.type !== 'word' && next.type !== ',' && next.type !== ')') {
      throw unparsable(`found '${next.text}', expected: ',', or identifier`);
    }
  }
}

type TokenType = 'word' | 'end' | 'error' | 'in' | 'notin' | '=' | '==' | '!=' | '>' | '<' | '(' | ')' | ',' | '!';
interface Token {
  readonly type: TokenType;
  readonly text: string;
}
/** Where a value or key may stand, `in` and `notin` are words like any other. */
type Place = 'value' | 'operator';

const SIGNS: ReadonlySet<string> = new Set(['=', '==', '!=', '>', '<', '(', ')', ',', '!']);
const END: Token = { type: 'end', text: '' };

class Tokens {
  readonly #text: string;
  #at = 0;
  #next: Token | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  peek(place: Place): Token {
    this.#next ??= this.#scan();
    const token = this.#next;
    const word = place === 'value' && (token.type === 'in' || token.type === 'notin');
    return word ? { type: 'word', text: token.text } : token;
  }

  take(place: Place): Token {
    const token = this.peek(place);
    this.#next = undefined;
    return token;
  }

  #scan(): Token {
    const text = this.#text;
    while (/[ \r\t\n]/.test(text.charAt(this.#at))) this.#at++;
    if (this.#at >= text.length) return END;
    const start = this.#at;
    if (!/[=!(),><]/.test(text.charAt(start))) {
      while (this.#at < text.length && !/[=!(),>< \r\t\n]/.test(text.charAt(this.#at))) this.#at++;
      const word = text.slice(start, this.#at);
      return { type: word === 'in' || word === 'notin' ? word : 'word', text: word };
    }
    // The longest sign that stands here.
    const two = text.slice(start, start + 2);
    const sign = SIGNS.has(two) ? two : text.charAt(start);
    this.#at += sign.length;
    return { type: sign as TokenType, text: sign };
  }
}
