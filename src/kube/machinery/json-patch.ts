/**
 * JSON Patch with the habits of the library that kubectl and the API server share: negative indexes count from the
 * end, `test` of a missing member against null passes, only `replace` may name the whole document.
 * Source: RFC 6902, RFC 6901.
 */
import { ApiError, badRequest } from './api-error.js';
import { copyJson, equalJson, getMember, isJsonObject, setMember } from './json-value.js';
import type { JsonObject, JsonValue } from './object.js';

/** More operations than these are refused with 413. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000;

type Container = JsonObject | JsonValue[];

/** Where a pointer leads: the container and the last step in it. */
interface Place {
  readonly parent: Container;
  readonly key: string;
}

/**
 * The document after all operations; the argument stays as it was.
 * @throws ApiError 400 for what is no patch, 413 for too many operations, 422 when an operation cannot be done or a
 * test fails. The 422 does not say which operation: clients know the upstream text only.
 */
export function applyJsonPatch(document: JsonObject, operations: readonly JsonValue[]): JsonObject {
  if (!Array.isArray(operations))
    throw badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (operations.length > JSON_PATCH_OPERATIONS_MAX) {
    const limit = `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}`;
    const message = `Request entity too large: ${limit}, got ${operations.length}`;
    throw new ApiError(413, 'RequestEntityTooLarge', message, {});
  }
  let root: JsonValue = copyJson(document);
  for (const operation of operations) {
    if (!isJsonObject(operation)) {
      throw badRequest(`json: cannot unmarshal ${typeof operation} into Go value of type jsonpatch.Operation`);
    }
    root = applyOperation(root, operation);
  }
  if (!isJsonObject(root)) throw refused();
  return root;
}

function refused(): ApiError {
  return new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

function applyOperation(root: JsonValue, operation: JsonObject): JsonValue {
  const path = pointer(operation, 'path');
  switch (operation.op) {
    case 'add':
      insert(root, path, copyJson(wantedValue(operation)));
      return root;
    case 'remove':
      take(root, path);
      return root;
    case 'replace': {
      const value = copyJson(wantedValue(operation));
      if (path === '') return value;
      const place = find(root, path);
      if (place === undefined || read(place) === undefined) throw refused();
      write(place, value);
      return root;
    }
    case 'move': {
      const from = pointer(operation, 'from');
      insert(root, path, take(root, from));
      return root;
    }
    case 'copy': {
      const from = pointer(operation, 'from');
      const place = find(root, from);
      const value = place === undefined ? undefined : read(place);
      if (value === undefined) throw refused();
      insert(root, path, copyJson(value));
      return root;
    }
    case 'test': {
      const wanted = operation.value ?? null;
      if (path === '') {
        if (!equalJson(root, wanted)) throw refused();
        return root;
      }
      const place = find(root, path);
      if (place === undefined || !equalJson(read(place) ?? null, wanted)) throw refused();
      return root;
    }
    default:
      throw refused();
  }
}

function pointer(operation: JsonObject, member: 'path' | 'from'): string {
  const text = operation[member];
  if (typeof text !== 'string') throw refused();
  return text;
}

function wantedValue(operation: JsonObject): JsonValue {
  if (!Object.hasOwn(operation, 'value')) throw refused();
  return operation.value ?? null;
}

/** The container of the pointer's last step, or undefined when there is none. What stands before the first `/` is ignored. */
function find(root: JsonValue, path: string): Place | undefined {
  const steps = path.split('/');
  if (steps.length < 2) return undefined;
  let at: JsonValue | undefined = root;
  for (let i = 1; i < steps.length - 1; i++) {
    if (!isContainer(at)) return undefined;
    at = read({ parent: at, key: stepName(steps[i]!) });
  }
  return isContainer(at) ? { parent: at, key: stepName(steps[steps.length - 1]!) } : undefined;
}

function stepName(step: string): string {
  return step.includes('~') ? step.replaceAll('~1', '/').replaceAll('~0', '~') : step;
}

function isContainer(value: JsonValue | undefined): value is Container {
  return typeof value === 'object' && value !== null;
}

/** Undefined: nothing there. @param size how many places the list offers; one more for insertions */
function indexOf(key: string, size: number): number | undefined {
  if (!/^[+-]?\d+$/.test(key)) return undefined;
  const n = Number(key);
  const index = n < 0 ? n + size : n;
  return index >= 0 && index < size ? index : undefined;
}

function read({ parent, key }: Place): JsonValue | undefined {
  if (!Array.isArray(parent)) return getMember(parent, key);
  const index = indexOf(key, parent.length);
  return index === undefined ? undefined : parent[index];
}

/** Only where read found something. */
function write({ parent, key }: Place, value: JsonValue): void {
  if (Array.isArray(parent)) parent[indexOf(key, parent.length)!] = value;
  else setMember(parent, key, value);
}

function insert(root: JsonValue, path: string, value: JsonValue): void {
  const place = find(root, path);
  if (place === undefined) throw refused();
  const { parent, key } = place;
  if (!Array.isArray(parent)) {
    setMember(parent, key, value);
    return;
  }
  const index = key === '-' ? parent.length : indexOf(key, parent.length + 1);
  if (index === undefined) throw refused();
  parent.splice(index, 0, value);
}

function take(root: JsonValue, path: string): JsonValue {
  const place = find(root, path);
  const value = place === undefined ? undefined : read(place);
  if (place === undefined || value === undefined) throw refused();
  if (Array.isArray(place.parent)) place.parent.splice(indexOf(place.key, place.parent.length)!, 1);
  else delete place.parent[place.key];
  return value;
}
