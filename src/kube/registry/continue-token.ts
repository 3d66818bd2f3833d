import type { ApiError } from '../machinery/api-error.js';
import { badRequest } from '../machinery/api-error.js';

const FORMAT = 'meta.k8s.io/v1';

/** Where the next page of a list starts. */
export interface ContinueToken {
  /** Revision of the first page; -1: newest, wherever that page was. */
  readonly revision: number;
  /** First key of the page, relative to the list's prefix. */
  readonly start: string;
}

export function encodeContinue(token: ContinueToken): string {
  const json = JSON.stringify({ v: FORMAT, rv: token.revision, start: token.start });
  return Buffer.from(json).toString('base64url');
}

/** @throws ApiError 400 for what no list of ours gave out */
export function decodeContinue(text: string): ContinueToken {
  if (!/^[A-Za-z0-9_-]*={0,2}$/.test(text)) throw bad('illegal base64 data');
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    token = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw bad('not an encoded position');
  }
  if (typeof token !== 'object' || token === null) throw bad('not an encoded position');
  if (token.v !== FORMAT) throw bad(`server does not recognize this encoded version ${JSON.stringify(token.v ?? '')}`);
  if (!Number.isSafeInteger(token.rv) || token.rv === 0 || (token.rv as number) < -1) {
    throw bad(`incorrect encoded start resourceVersion (version ${FORMAT})`);
  }
  if (typeof token.start !== 'string' || token.start === '') throw bad(`encoded start key empty (version ${FORMAT})`);
  // A start outside the list's prefix would let one resource's list read another's keys.
  if (token.start.startsWith('/') || `/${token.start}/`.includes('/../')) throw bad(JSON.stringify(token.start));
  return { revision: token.rv as number, start: token.start };
}

function bad(why: string): ApiError {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}
