/**
 * The part of JSONPath that printer columns, selectable fields and scale paths use:
 *
 *   .spec.replicas   .metadata.labels['app\.io/x']   .spec.ports[0].port   .spec.ports[*].port
 *   .status.conditions[?(@.type=="Ready")].status
 */
import { equalJson, getMember, isJsonObject } from './json-value.js';
import type { JsonValue } from './object.js';

type Step =
  | { readonly member: string }
  /** Negative counts from the end. */
  | { readonly index: number }
  | { readonly slice: readonly [number | undefined, number | undefined] }
  | { readonly all: true }
  | Filter;

interface Filter {
  readonly where: JsonPath;
  /** `==`, `<` ..., or `exists`, which compares with nothing. */
  readonly sign: string;
  readonly value: JsonValue | undefined;
}

/** A path that was parsed once and is read many times. */
export interface JsonPath {
  readonly text: string;
  readonly steps: readonly Step[];
}

/**
 * @param text with or without braces around it and `$` in front
 * @throws Error that says what cannot be read
 */
export function parseJsonPath(text: string): JsonPath {
  let rest = text.trim();
  if (rest.startsWith('{') && rest.endsWith('}')) rest = rest.slice(1, -1);
  if (rest.startsWith('$') || rest.startsWith('@')) rest = rest.slice(1);
  if (rest !== '' && !rest.startsWith('.') && !rest.startsWith('[')) rest = `.${rest}`;
  const steps: Step[] = [];
  while (rest !== '') {
    const [step, length] = rest.startsWith('[') ? bracket(rest) : member(rest);
    if (step !== undefined) steps.push(step);
    rest = rest.slice(length);
  }
  return { text, steps };
}

function member(rest: string): [Step | undefined, number] {
  const match = /^\.((?:\\.|[^.[\]\\])*)/.exec(rest);
  if (match === null) throw new Error(`unrecognized character in path: ${rest}`);
  const name = match[1]!.replace(/\\(.)/g, '$1');
  if (name === '') {
    if (rest === '.' || rest.startsWith('.[')) return [undefined, 1];
    throw new Error('a path has an empty step');
  }
  return [name === '*' ? { all: true } : { member: name }, match[0].length];
}

function bracket(rest: string): [Step, number] {
  const filter = /^\[\?\((.*?)\)\]/s.exec(rest);
  if (filter !== null) return [parseFilter(filter[1]!.trim()), filter[0].length];
  const name = /^\[(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\]/.exec(rest);
  if (name !== null) return [{ member: (name[1] ?? name[2]!).replace(/\\(.)/g, '$1') }, name[0].length];
  const index = /^\[(-?\d+)\]/.exec(rest);
  if (index !== null) return [{ index: Number(index[1]) }, index[0].length];
  const slice = /^\[(-?\d*):(-?\d*)\]/.exec(rest);
  if (slice !== null) {
    const bound = (part: string | undefined): number | undefined => (part === '' ? undefined : Number(part));
    return [{ slice: [bound(slice[1]), bound(slice[2])] }, slice[0].length];
  }
  if (rest.startsWith('[*]')) return [{ all: true }, 3];
  throw new Error(`invalid array index ${rest.slice(0, rest.indexOf(']') + 1) || rest}`);
}

function parseFilter(text: string): Filter {
  const match = /^(@[^=!<>]*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/s.exec(text);
  if (match === null) throw new Error(`a filter that cannot be read: ${text}`);
  const where = parseJsonPath(match[1]!);
  if (match[2] === undefined) return { where, sign: 'exists', value: undefined };
  return { where, sign: match[2], value: literal(match[3]!.trim()) };
}

function literal(text: string): JsonValue {
  if (/^'.*'$/s.test(text)) return text.slice(1, -1).replace(/\\(.)/g, '$1');
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new Error(`a filter compares with what is no value: ${text}`);
  }
}

/** All values at the path, in order; none if something on the way is missing. */
export function readJsonPath(path: JsonPath, value: unknown): JsonValue[] {
  let values = [value as JsonValue];
  for (const step of path.steps) {
    const next: JsonValue[] = [];
    for (const at of values) take(step, at, next);
    if (next.length === 0) return next;
    values = next;
  }
  return values;
}

function take(step: Step, at: JsonValue, into: JsonValue[]): void {
  if ('member' in step) {
    const value = isJsonObject(at) ? getMember(at, step.member) : undefined;
    if (value !== undefined) into.push(value);
  } else if ('all' in step) {
    if (Array.isArray(at)) into.push(...at);
    else if (isJsonObject(at)) for (const value of Object.values(at)) if (value !== undefined) into.push(value);
  } else if (Array.isArray(at)) {
    if ('index' in step) {
      const value = at.at(step.index);
      if (value !== undefined) into.push(value);
    } else if ('slice' in step) into.push(...at.slice(step.slice[0], step.slice[1]));
    else for (const item of at) if (holds(step, item)) into.push(item);
  }
}

function holds(step: Filter, item: JsonValue): boolean {
  const found = readJsonPath(step.where, item);
  if (step.sign === 'exists') return found.length > 0;
  const left = found[0];
  if (left === undefined) return false;
  const right = step.value!;
  switch (step.sign) {
    case '==':
      return equalJson(left, right);
    case '!=':
      return !equalJson(left, right);
    default: {
      if (typeof left !== typeof right || left === null || right === null) return false;
      if (step.sign === '<') return left < right;
      if (step.sign === '>') return left > right;
      return step.sign === '<=' ? left <= right : left >= right;
    }
  }
}

/** The members of a path that has nothing but members (`.spec.replicas`); undefined for any other. */
export function plainMembers(path: JsonPath): string[] | undefined {
  const names: string[] = [];
  for (const step of path.steps) {
    if (!('member' in step)) return undefined;
    names.push(step.member);
  }
  return names;
}
