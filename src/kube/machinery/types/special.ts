/** Messages whose JSON form is not that of a struct, by reference. */
import type { Schema } from '../schema.js';

const strings: Schema = { type: 'string' };

const special: Readonly<Record<string, Schema>> = {
  'meta.v1/Time': { type: 'string', format: 'date-time' },
  'meta.v1/MicroTime': { type: 'string', format: 'micro-time' },
  'meta.v1/Duration': { type: 'string', format: 'duration' },
  'resource/Quantity': { type: 'string', format: 'quantity' },
  'intstr/IntOrString': { type: 'int-or-string' },
  'meta.v1/FieldsV1': { type: 'object', preserveUnknown: true, mapType: 'atomic' },
  'runtime/RawExtension': { type: 'any' },
  'runtime/JSON': { type: 'any' },
  'meta.v1/Verbs': { type: 'array', items: strings },
  'authentication.v1/ExtraValue': { type: 'array', items: strings },
  'authorization.v1/ExtraValue': { type: 'array', items: strings },
  'certificates.v1/ExtraValue': { type: 'array', items: strings },
};

export function specialSchema(ref: string): Schema | undefined {
  return special[ref];
}
