import { decodeTimeout } from './grpc/timeout.js';
import type { Field } from './hpack/field.js';
import { Name } from './hpack/field.js';

/** What is wrong with a request that is HTTP/2 but not what gRPC allows: the status line and trailers that answer it. */
export interface Refusal {
  readonly httpStatus: number;
  readonly code: number;
  readonly message: string;
}

/**
 * A request's header fields, read once and shared by all requests that came in the same bytes: it must not be changed,
 * but for what follows from it alone: `route` and `refusal`.
 */
export class RequestHead {
  method = '';
  scheme = '';
  path = '';
  authority = '';
  /** Only the regular fields, in order. */
  readonly fields: Field[] = [];
  contentType = '';
  /** After `application/grpc+`, or empty. */
  contentSubtype = '';
  isGrpc = false;
  /** `gzip`, `identity`, another's name, or empty. */
  encoding = '';
  /** ms; -1: none. */
  timeoutMs = -1;
  /** -1: none. */
  contentLength = -1;
  refusal: Refusal | null = null;
  /** Whether `refusal` is all that there is to say. */
  isChecked = false;
  /** Whatever the server found for the path; undefined: it has not looked. */
  route: unknown = undefined;

  /** First value of a field, by a name in lower case. */
  value(name: string): string | undefined {
    for (const field of this.fields) if (field.name === name) return field.value;
    return undefined;
  }
}

/** Bit of a pseudo-header or single field that was seen. */
const bit = (kind: number): number => 1 << kind;
const PSEUDO_REQUIRED = bit(Name.METHOD) | bit(Name.SCHEME) | bit(Name.PATH);

/**
 * Reads a request (RFC 9113 sections 8.2 and 8.3).
 * @returns null: it is malformed, a stream error PROTOCOL_ERROR
 */
export function readRequest(fields: readonly Field[]): RequestHead | null {
  const head = new RequestHead();
  let seen = 0;
  let host: string | null = null;
  let regular = false;
  for (const field of fields) {
    if (!field.valid) return null;
    const { kind, value } = field;
    if (field.isPseudo) {
      // Each once, before all others (section 8.3).
      if (regular || (seen & bit(kind)) !== 0 || kind === Name.FOREIGN_PSEUDO) return null;
      seen |= bit(kind);
      if (kind === Name.METHOD) head.method = value;
      else if (kind === Name.PATH) head.path = value;
      else if (kind === Name.SCHEME) head.scheme = value;
      else head.authority = value;
      continue;
    }
    regular = true;
    head.fields.push(field);
    switch (kind) {
      case Name.OTHER:
        break;
      case Name.HOP_BY_HOP:
        return null;
      case Name.TE:
        if (value !== 'trailers') return null;
        break;
      case Name.HOST:
        if (host !== null) return null;
        host = value;
        break;
      case Name.CONTENT_LENGTH: {
        const length = decimal(value);
        if (length < 0 || (head.contentLength >= 0 && head.contentLength !== length)) return null;
        head.contentLength = length;
        break;
      }
      case Name.CONTENT_TYPE:
        readContentType(head, value);
        break;
      case Name.GRPC_ENCODING:
        head.encoding = value;
        break;
      case Name.GRPC_TIMEOUT:
        readTimeout(head, value);
        break;
    }
  }
  return isComplete(head, seen, host) ? head : null;
}

function isComplete(head: RequestHead, seen: number, host: string | null): boolean {
  if (head.method === 'CONNECT') {
    // No path and no scheme, but where to (section 8.5).
    return (seen & (bit(Name.SCHEME) | bit(Name.PATH))) === 0 && head.authority !== '';
  }
  if ((seen & PSEUDO_REQUIRED) !== PSEUDO_REQUIRED || head.method === '' || head.scheme === '') return false;
  if (head.path === '' && (head.scheme === 'http' || head.scheme === 'https')) return false;
  if (host !== null && (seen & bit(Name.AUTHORITY)) !== 0 && host.toLowerCase() !== head.authority.toLowerCase()) {
    return false;
  }
  if (host !== null && head.authority === '') head.authority = host;
  return true;
}

/** Fields after the body: regular ones, none of a connection's. @returns false: malformed (section 8.1) */
export function areTrailers(fields: readonly Field[]): boolean {
  for (const field of fields) {
    if (!field.valid || field.isPseudo || field.kind === Name.HOP_BY_HOP) return false;
  }
  return true;
}

function decimal(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : -1;
}

const GRPC = 'application/grpc';

/** As gRPC for Go reads it: the base type, alone or with a subtype behind `+` or `;`. */
function readContentType(head: RequestHead, value: string): void {
  head.contentType = value;
  if (!value.startsWith(GRPC)) return;
  const next = value.charAt(GRPC.length);
  if (next !== '' && next !== '+' && next !== ';') return;
  head.isGrpc = true;
  head.contentSubtype = value.slice(GRPC.length + 1);
}

function readTimeout(head: RequestHead, value: string): void {
  const timeout = decodeTimeout(value);
  if (typeof timeout === 'number') head.timeoutMs = timeout;
  else head.refusal = { httpStatus: 400, code: 13, message: `malformed grpc-timeout: ${timeout}` };
}
