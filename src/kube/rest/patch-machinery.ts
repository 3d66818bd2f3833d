/** The functions of machinery that writes are made of, as one value. */
import type { Kind } from '../kinds/kind.js';
import { decodePatched } from '../machinery/accept.js';
import { badRequest } from '../machinery/api-error.js';
import { trackUpdate } from '../machinery/apply/managed-fields.js';
import { applyServerSide } from '../machinery/apply/server-side-apply.js';
import { conform, UnfitError } from '../machinery/conform.js';
import { applyJsonPatch } from '../machinery/json-patch.js';
import { applyMergePatch } from '../machinery/merge-patch.js';
import type { JsonObject } from '../machinery/object.js';
import { apiVersionOf } from '../machinery/object.js';
import { applyStrategicPatch } from '../machinery/strategic-patch.js';
import type { PatchMachinery } from './patcher.js';

export const patchMachinery: PatchMachinery = {
  json: applyJsonPatch,
  merge: applyMergePatch,
  strategic: applyStrategicPatch,
  apply: applyServerSide,
  track: trackUpdate,
  decode: decodePatched,
  configure,
};

function configure(kind: Kind, config: JsonObject): JsonObject {
  const { name, namespace } = (config.metadata ?? {}) as { name?: string; namespace?: string };
  const what = `${namespace === undefined ? '' : `${namespace}/`}${name}; ${apiVersionOf(kind)}, Kind=${kind.kind}`;
  const refusal = (why: string) => badRequest(`failed to create typed patch object (${what}): ${why}`);
  try {
    const { value, unknown } = conform(kind.schema, config, { keepEmpty: true });
    if (unknown.length === 0) return value as JsonObject;
    const fields = unknown.map((path) => `.${path}: field not declared in schema`);
    throw refusal(fields.length === 1 ? fields[0]! : `errors:\n${fields.map((f) => `  ${f}`).join('\n')}`);
  } catch (error) {
    throw error instanceof UnfitError ? refusal(error.message) : error;
  }
}
