/** Request bodies in JSON: parsed by the engine, looked over for what it does not tell. */
import { badRequest } from './api-error.js';
import type { JsonValue } from './object.js';

/** Deepest nesting that is read: recursive walkers come after us. Objects of Kubernetes stay below 40. */
export const JSON_DEPTH_MAX = 500;
/** As many strict errors as are told. */
export const DUPLICATES_MAX = 100;

/** The one member name that no object may have: assigned carelessly, it would set a prototype. */
export const FORBIDDEN_MEMBER = '__proto__';

export interface ParsedText {
  readonly value: JsonValue;
  /** Paths of members that stand twice in one object, `spec.template.spec.containers[0].name`; the last one holds. */
  readonly duplicates: readonly string[];
}

/** Thrown for a text that cannot be read at all. */
export class TextError extends Error {
  override readonly name = 'TextError';
}

/** @throws TextError if it is no JSON, ApiError if it is too deep */
export function parseJsonText(text: string): ParsedText {
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TextError(error instanceof Error ? error.message : String(error));
  }
  return { value, duplicates: duplicateMembers(text) };
}

interface Frame {
  /** Member names so far; null for a list. */
  readonly names: Set<string> | null;
  name: string;
  index: number;
}

/** Paths of the members that stand twice. @param text valid JSON */
export function duplicateMembers(text: string): string[] {
  const duplicates: string[] = [];
  const stack: Frame[] = [];
  let top: Frame | undefined;
  let atName = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: {
        const end = closingQuote(text, i);
        if (atName && top?.names) {
          top.name = nameAt(text, i, end);
          checkName(top.name);
          if (top.names.has(top.name)) {
            if (duplicates.length < DUPLICATES_MAX) duplicates.push(pathOf(stack));
          } else {
            top.names.add(top.name);
          }
          atName = false;
        }
        i = end;
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        atName = text.charCodeAt(i) === 0x7b;
        top = { names: atName ? new Set() : null, name: '', index: 0 };
        if (stack.push(top) > JSON_DEPTH_MAX) throw badRequest('exceeded max depth');
        break;
      case 0x7d: // }
      case 0x5d: // ]
        stack.pop();
        top = stack[stack.length - 1];
        atName = false;
        break;
      case 0x2c: // ,
        if (top === undefined) break;
        if (top.names === null) top.index++;
        else atName = true;
        break;
    }
  }
  return [...new Set(duplicates)];
}

function closingQuote(text: string, open: number): number {
  for (let i = open + 1; ; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) return i;
    if (c === 0x5c) i++;
  }
}

function nameAt(text: string, open: number, close: number): string {
  const raw = text.slice(open + 1, close);
  return raw.includes('\\') ? JSON.parse(`"${raw}"`) : raw;
}

function pathOf(stack: readonly Frame[]): string {
  return pathText(stack.map((frame) => (frame.names === null ? frame.index : frame.name)));
}

/** @throws ApiError */
export function checkName(name: string): void {
  if (name === FORBIDDEN_MEMBER) throw badRequest(`the member name ${FORBIDDEN_MEMBER} is not supported`);
}

/** `spec.containers[0].name` of its steps. */
export function pathText(steps: readonly (string | number)[]): string {
  let path = '';
  for (const step of steps) {
    if (typeof step === 'number') path += `[${step}]`;
    else path += path === '' ? step : `.${step}`;
  }
  return path;
}
