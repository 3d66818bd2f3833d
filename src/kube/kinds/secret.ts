import type { FieldError } from '../machinery/field-error.js';
import { invalid, required, tooLong } from '../machinery/field-error.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, NAME, nameOf, text } from './columns.js';
import { DATA_BYTES_MAX, validateFrozen } from './config-map.js';
import { defineKind } from './define.js';
import { checkConfigKey, IMMUTABLE } from './field-rules.js';
import type { Kind } from './kind.js';
import { entriesOf, fillText, same, within } from './loose.js';

const ACCOUNT_ANNOTATION = 'kubernetes.io/service-account.name';

/** stringData is for writing alone: its texts go into data, in place of what is there. */
function foldStrings(object: KubeObject): void {
  for (const [key, value] of entriesOf(object.stringData)) {
    within(object, 'data')[key] = Buffer.from(value, 'utf8').toString('base64');
  }
  delete object.stringData;
}

function bytesOf(object: KubeObject, key: string): Buffer | undefined {
  const value = object.data?.[key];
  return typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
}

function needs(object: KubeObject, ...keys: string[]): FieldError[] {
  return keys.filter((key) => object.data?.[key] === undefined).map((key) => required(`data[${key}]`));
}

function needsJson(object: KubeObject, key: string): FieldError[] {
  const bytes = bytesOf(object, key);
  if (bytes === undefined) return [required(`data[${key}]`)];
  try {
    JSON.parse(bytes.toString('utf8'));
    return [];
  } catch (error) {
    return [invalid(`data[${key}]`, '<secret contents redacted>', (error as Error).message)];
  }
}

function validateType(object: KubeObject): FieldError[] {
  switch (object.type) {
    case 'kubernetes.io/service-account-token':
      return object.metadata.annotations?.[ACCOUNT_ANNOTATION]
        ? []
        : [required(`metadata.annotations[${ACCOUNT_ANNOTATION}]`)];
    case 'kubernetes.io/dockercfg':
      return needsJson(object, '.dockercfg');
    case 'kubernetes.io/dockerconfigjson':
      return needsJson(object, '.dockerconfigjson');
    case 'kubernetes.io/basic-auth':
      if (object.data?.username !== undefined || object.data?.password !== undefined) return [];
      return [required('data[username]'), required('data[password]')];
    case 'kubernetes.io/ssh-auth':
      return needs(object, 'ssh-privatekey');
    case 'kubernetes.io/tls':
      return needs(object, 'tls.crt', 'tls.key');
    default:
      return [];
  }
}

export const secretKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  description: 'Secret holds passwords, tokens and keys: data that not everybody may read.',
  setDefaults(object) {
    foldStrings(object);
    fillText(object, 'type', 'Opaque');
  },
  validate(object) {
    const errors: FieldError[] = [];
    let bytes = 0;
    for (const [key, value] of entriesOf(object.data)) {
      errors.push(...checkConfigKey(key).map((e) => invalid(`data[${key}]`, key, e)));
      bytes += Buffer.byteLength(value ?? '', 'base64');
    }
    if (bytes > DATA_BYTES_MAX) errors.push(tooLong('data', DATA_BYTES_MAX));
    return [...errors, ...validateType(object)];
  },
  validateUpdate(object, old) {
    const errors = same(object.type, old.type) ? [] : [invalid('type', object.type, IMMUTABLE)];
    return [...errors, ...validateFrozen(object, old, ['data'])];
  },
  fieldSelectors: { type: (object) => object.type ?? '' },
  columns: [NAME, text('Type', 'What its keys mean.'), text('Data', 'How many entries it has.'), AGE],
  cells: (object, now) => [nameOf(object), object.type ?? '', String(entriesOf(object.data).length), age(object, now)],
});
