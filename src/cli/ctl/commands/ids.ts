import { badArgs } from '../fail.js';
import { parseInteger } from '../go.js';

/** @throws Fail (128) */
export function parseLeaseId(text: string, what = 'lease ID arg'): bigint {
  const id = parseInteger(text, 16, 'ParseInt');
  if (typeof id === 'string') throw badArgs(`bad ${what} (${id}), expecting ID in Hex`);
  return id;
}

/** @throws Fail (128) */
export function parseMemberId(text: string): bigint {
  const id = parseInteger(text, 16, 'ParseUint');
  if (typeof id === 'string') throw badArgs(`bad member ID arg (${id}), expecting ID in Hex`);
  return id;
}
