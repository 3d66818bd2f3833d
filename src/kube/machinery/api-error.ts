/** What a request may end with instead of an answer: a Status object of the Kubernetes API. */
import { qualifiedResource } from './object.js';

export interface StatusCause {
  reason?: string;
  message?: string;
  /** JSON path of the field, `spec.containers[0].image`. */
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  /** The resource's plural, but the Kind for Invalid. */
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
}

/** A resource by group and plural, as messages name it. */
export interface ResourceName {
  readonly group: string;
  readonly plural: string;
}

/**
 * A refusal that goes to the client as a Status with its code. Thrown anywhere below the HTTP handler; whatever else
 * is thrown there is a 500. `reason` is stable and made for programs.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  /** Of a list whose token is too old: where a new, inconsistent one would start. */
  readonly continueToken: string | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails, continueToken?: string) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.continueToken = continueToken;
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.continueToken === undefined ? {} : { continue: this.continueToken },
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

function about(resource: ResourceName, name: string, more: StatusDetails = {}): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
    ...more,
  };
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}

/** @param why the text after "is forbidden: " */
export function forbidden(resource: ResourceName, name: string, why: string, causes?: StatusCause[]): ApiError {
  const named = qualifiedResource(resource.group, resource.plural);
  const subject = name === '' ? named : `${named} "${name}"`;
  const details = about(resource, name, causes === undefined ? {} : { causes });
  return new ApiError(403, 'Forbidden', `${subject} is forbidden: ${why}`, details);
}

export function notFound(resource: ResourceName, name: string): ApiError {
  const named = qualifiedResource(resource.group, resource.plural);
  return new ApiError(404, 'NotFound', `${named} "${name}" not found`, about(resource, name));
}

/** No such path or resource at all; clients tell it by the missing name. */
export function unknownResource(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function methodNotAllowed(): ApiError {
  const message = 'the server does not allow this method on the requested resource';
  return new ApiError(405, 'MethodNotAllowed', message, {});
}

export function notAcceptable(accepted: readonly string[]): ApiError {
  const message = `only the following media types are accepted: ${accepted.join(', ')}`;
  return new ApiError(406, 'NotAcceptable', message);
}

export function alreadyExists(resource: ResourceName, name: string): ApiError {
  const named = qualifiedResource(resource.group, resource.plural);
  return new ApiError(409, 'AlreadyExists', `${named} "${name}" already exists`, about(resource, name));
}

export const OBJECT_MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

/** @param why the text after the colon */
export function conflict(resource: ResourceName, name: string, why: string = OBJECT_MODIFIED): ApiError {
  const named = qualifiedResource(resource.group, resource.plural);
  const message = `Operation cannot be fulfilled on ${named} "${name}": ${why}`;
  return new ApiError(409, 'Conflict', message, about(resource, name));
}

export function expired(message: string, continueToken?: string): ApiError {
  return new ApiError(410, 'Expired', message, undefined, continueToken);
}

/** @param limit in bytes */
export function tooLarge(limit: number): ApiError {
  return new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const list = accepted.join(', ');
  const message = `the body of the request was in an unknown format - accepted media types include: ${list}`;
  return new ApiError(415, 'UnsupportedMediaType', message);
}

/** @param retryAfterSeconds also sent as the Retry-After header */
export function tooManyRequests(message: string, retryAfterSeconds: number, causes?: StatusCause[]): ApiError {
  const details = causes === undefined ? { retryAfterSeconds } : { causes, retryAfterSeconds };
  return new ApiError(429, 'TooManyRequests', message, details);
}

export function internalError(message: string): ApiError {
  const details = { causes: [{ message }] };
  return new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, details);
}

export function serviceUnavailable(message = 'the server is currently unable to handle the request'): ApiError {
  return new ApiError(503, 'ServiceUnavailable', message, { retryAfterSeconds: 1 });
}

export function timeout(message: string, details: StatusDetails = {}): ApiError {
  return new ApiError(504, 'Timeout', `Timeout: ${message}`, { retryAfterSeconds: 1, ...details });
}
