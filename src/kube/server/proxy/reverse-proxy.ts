/** Sends a request on to another server and its answer back, other protocols included. */
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ApiError } from '../../machinery/api-error.js';
import type { Exchange } from '../exchange.js';

export interface ProxyTarget {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** With the query; begins with a slash. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Of https: what the other side's certificate must be, and what we show. */
  readonly tls?: {
    readonly ca?: string;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
    readonly cert?: string;
    readonly key?: string;
  };
  /** Put before a Location that is a path of the other server. */
  readonly locationPrefix?: string;
}

const CONNECT_MS = 10_000;
/** RFC 9110 section 7.6.1: these speak of one connection only. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Resolves when the answer has been sent. @throws ApiError 503 if the other side cannot be reached */
export async function proxyRequest(exchange: Exchange, target: ProxyTarget): Promise<void> {
  exchange.longRunning = true;
  const { request, upgrade } = exchange;
  const outgoing = open(request, target, upgrade !== null);
  const gone = (): void => void outgoing.destroy();
  if (upgrade === null) exchange.response.once('close', gone);
  else upgrade.socket.once('close', gone);
  try {
    await new Promise<void>((resolve, reject) => {
      outgoing.once('error', (err) => reject(unreachable(err)));
      outgoing.once('response', (answer) => {
        sendBack(exchange, answer, target);
        exchange.response.once('close', resolve);
      });
      outgoing.once('upgrade', (answer, far, farHead) => {
        if (upgrade === null) {
          far.destroy();
          return reject(unreachable(new Error('an upgrade that nobody asked for')));
        }
        const near = upgrade.socket;
        exchange.response.detachSocket(near as never);
        near.write(headOf(answer));
        if (farHead.length > 0) near.write(farHead);
        if (upgrade.head.length > 0) far.write(upgrade.head);
        const end = (): void => {
          near.destroy();
          far.destroy();
          resolve();
        };
        for (const side of [near, far]) side.once('error', end).once('close', end);
        near.pipe(far);
        far.pipe(near);
      });
      request.pipe(outgoing);
    });
  } finally {
    exchange.response.removeListener('close', gone);
  }
}

function open(request: IncomingMessage, target: ProxyTarget, upgrade: boolean): ClientRequest {
  const headers: OutgoingHttpHeaders = { ...request.headers };
  for (const name of HOP_BY_HOP) delete headers[name];
  // Our credentials are not for others.
  delete headers.authorization;
  for (const [name, value] of Object.entries(target.headers ?? {})) {
    if (value === undefined) delete headers[name];
    else headers[name] = value;
  }
  headers.host = target.tls?.servername ?? `${target.host}:${target.port}`;
  if (upgrade) {
    headers.connection = 'Upgrade';
    headers.upgrade = request.headers.upgrade;
  }
  const remote = request.socket.remoteAddress ?? '';
  const before = request.headers['x-forwarded-for'];
  headers['x-forwarded-for'] = before === undefined ? remote : `${String(before)}, ${remote}`;
  const options = {
    host: target.host,
    port: target.port,
    method: request.method,
    path: target.path,
    headers,
    agent: false,
  };
  const outgoing = target.secure ? httpsRequest({ ...options, ...target.tls }) : httpRequest(options);
  const timer = setTimeout(() => outgoing.destroy(new Error('connection timed out')), CONNECT_MS);
  outgoing.once('socket', (socket) => {
    socket.once(target.secure ? 'secureConnect' : 'connect', () => clearTimeout(timer));
  });
  outgoing.once('close', () => clearTimeout(timer));
  return outgoing;
}

function sendBack(exchange: Exchange, answer: IncomingMessage, target: ProxyTarget): void {
  const headers: OutgoingHttpHeaders = { ...answer.headers };
  for (const name of HOP_BY_HOP) delete headers[name];
  const { location } = answer.headers;
  if (location?.startsWith('/') && target.locationPrefix !== undefined) {
    headers.location = `${target.locationPrefix}${location}`;
  }
  exchange.response.writeHead(answer.statusCode ?? 502, { 'Audit-Id': exchange.auditId, ...headers });
  answer.once('error', () => exchange.response.destroy());
  answer.once('aborted', () => exchange.response.destroy());
  answer.pipe(exchange.response);
}

function headOf(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function unreachable(err: Error): ApiError {
  const message = `error trying to reach service: ${err.message}`;
  return new ApiError(503, 'ServiceUnavailable', message, { causes: [{ message: err.message }] });
}
