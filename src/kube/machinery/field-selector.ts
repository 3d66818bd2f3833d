/** Field selectors: `metadata.name=a,status.phase!=Running`. Source: Kubernetes field selectors. */
import { badRequest } from './api-error.js';
import type { KubeObject } from './object.js';

export interface FieldTerm {
  readonly field: string;
  readonly value: string;
  /** `!=` */
  readonly negated: boolean;
}

/** How a kind reads its selectable fields, besides metadata.name and metadata.namespace. */
export type FieldReaders = Readonly<Record<string, (object: KubeObject) => string>>;

const COMMON: FieldReaders = {
  'metadata.name': (object) => object.metadata.name ?? '',
  'metadata.namespace': (object) => object.metadata.namespace ?? '',
};

/** Terms in the order of their text; none for an empty text. @throws ApiError 400 */
export function parseFieldSelector(text: string): FieldTerm[] {
  const terms: FieldTerm[] = [];
  for (const part of split(text).sort()) {
    if (part === '') continue;
    const sign = /^(.*?)(!=|==|=)/s.exec(part);
    if (sign === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const value = unescapeValue(part.slice(sign[0].length));
    terms.push({ field: sign[1]!, value, negated: sign[2] === '!=' });
  }
  return terms;
}

/** At commas that are not escaped. */
function split(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ',') {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unescapeValue(text: string): string {
  let value = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\\') {
      const next = text[++i];
      if (next !== '\\' && next !== ',' && next !== '=') {
        throw badRequest(`invalid field selector: invalid escape sequence: \\${next ?? ''}`);
      }
      value += next;
    } else if (c === '=') throw badRequest(`invalid field selector: unescaped character in value: ${c.codePointAt(0)}`);
    else value += c;
  }
  return value;
}

export function printFieldSelector(terms: readonly FieldTerm[]): string {
  const escaped = (value: string): string => value.replace(/[\\,=]/g, '\\$&');
  return terms.map(({ field, value, negated }) => `${field}${negated ? '!=' : '='}${escaped(value)}`).join(',');
}

/**
 * Refuses fields that the kind cannot select by.
 * @param readers undefined: a kind with no fields of its own
 * @throws ApiError 400
 */
export function checkFieldSelector(terms: readonly FieldTerm[], readers: FieldReaders | undefined): void {
  for (const { field } of terms) {
    if (Object.hasOwn(COMMON, field)) continue;
    if (readers === undefined) {
      const known = 'only "metadata.name", "metadata.namespace"';
      throw badRequest(`"${field}" is not a known field selector: ${known}`);
    }
    if (!Object.hasOwn(readers, field)) throw badRequest(`field label not supported: ${field}`);
  }
}

/** Only after checkFieldSelector: a field that nobody reads is empty. */
export function matchesFields(
  terms: readonly FieldTerm[],
  object: KubeObject,
  readers: FieldReaders | undefined,
): boolean {
  for (const { field, value, negated } of terms) {
    const read = COMMON[field] ?? readers?.[field];
    if (((read?.(object) ?? '') === value) === negated) return false;
  }
  return true;
}

/** The one name that `metadata.name=x` allows; undefined if the terms say nothing of it. */
export function exactName(terms: readonly FieldTerm[]): string | undefined {
  return terms.find((term) => term.field === 'metadata.name' && !term.negated)?.value;
}
