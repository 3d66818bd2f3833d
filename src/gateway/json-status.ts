import type { Status } from '../rpc/index.js';
import { Code } from '../rpc/index.js';
import { escapeHtml } from './json/encode.js';

/** HTTP's status for gRPC's code (etcd wire §5). */
export function httpStatusOf(code: number): number {
  return BY_CODE[code] ?? 500;
}

const BY_CODE: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

const TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/**
 * The body of an error: google.rpc.Status, as etcd 3.6 has it.
 * @param legacy as etcd 3.5 had it: the text comes first as `error` as well
 */
export function errorJson({ code, message }: Status, legacy: boolean): string {
  const text = JSON.stringify(message);
  if (legacy) return `{"error":${text},"code":${code},"message":${text}}`;
  return `{${[code === Code.OK ? '' : `"code":${code}`, message === '' ? '' : `"message":${text}`].filter(Boolean).join()}}`;
}

/** The line that ends a stream of results. */
export function streamErrorJson(status: Status, legacy: boolean): string {
  if (!legacy) return `{"error":${escapeHtml(errorJson(status, false))}}\n`;
  const http = httpStatusOf(status.code);
  const error = {
    grpc_code: status.code,
    http_code: http,
    message: status.message,
    http_status: TEXTS[http] ?? '',
  };
  return `{"error":${escapeHtml(JSON.stringify(error))}}\n`;
}
