/** The functions of machinery that writes are made of, as one value. */
import { decodePatched } from '../machinery/accept.js';
import { trackUpdate } from '../machinery/apply/managed-fields.js';
import { applyServerSide } from '../machinery/apply/server-side-apply.js';
import { applyJsonPatch } from '../machinery/json-patch.js';
import { applyMergePatch } from '../machinery/merge-patch.js';
import { applyStrategicPatch } from '../machinery/strategic-patch.js';
import type { PatchMachinery } from './patcher.js';

export const patchMachinery: PatchMachinery = {
  json: applyJsonPatch,
  merge: applyMergePatch,
  strategic: applyStrategicPatch,
  apply: applyServerSide,
  track: trackUpdate,
  decode: decodePatched,
};
