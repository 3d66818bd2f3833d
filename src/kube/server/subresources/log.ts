/** pods/log. Source: core/v1 PodLogOptions. */
import { badRequest, internalError } from '../../machinery/api-error.js';
import type { KubeObject } from '../../machinery/object.js';
import type { Exchange } from '../exchange.js';
import type { AgentLogQuery, NodeAgents } from '../node-agents.js';
import type { ServerParts } from '../parts.js';
import { containerOf } from './pod-container.js';
import type { SubresourceHandler } from './subresource.js';

/** Written and not taken by the client: then it is too slow to follow. */
const BEHIND_BYTES_MAX = 16 * 1024 * 1024;

export function logHandler(parts: ServerParts, agents: NodeAgents): SubresourceHandler {
  return async (exchange, kind) => {
    const { info } = exchange;
    const pod = await parts.resources.of(kind).get(info.namespace, info.name);
    const container = containerOf(pod, info.query.get('container'));
    const query = readQuery(info.query, container, parts.now());
    const node: string = pod.spec?.nodeName ?? '';
    if (node === '') throw badRequest(`pod ${info.name} does not have a host assigned`);
    mustHaveRun(pod, container, query.previous);
    const agent = agents.find(node);
    if (agent === undefined) {
      throw internalError(
        `error dialing backend: no agent of node ${JSON.stringify(node)} can be reached; log needs one`,
      );
    }
    await send(exchange, query, (onLine, signal) => agent.logs(pod, query, onLine, signal), agents.closing);
  };
}

interface LogQuery extends AgentLogQuery {
  readonly timestamps: boolean;
  readonly limitBytes: number;
}

function readQuery(query: URLSearchParams, container: string, now: number): LogQuery {
  const flag = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  const number = (name: string, least: number): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least)
      throw badRequest(`${name}: ${JSON.stringify(text)} is no number of it`);
    return value;
  };
  const seconds = number('sinceSeconds', 1);
  const time = query.get('sinceTime');
  if (seconds !== undefined && time !== null) {
    throw badRequest('at most one of `sinceTime` or `sinceSeconds` may be specified');
  }
  const since = seconds === undefined ? (time === null ? undefined : Date.parse(time)) : now - seconds * 1000;
  if (Number.isNaN(since)) throw badRequest(`sinceTime: ${JSON.stringify(time)} is no time`);
  const tailLines = number('tailLines', 0);
  return {
    container,
    previous: flag('previous'),
    follow: flag('follow'),
    timestamps: flag('timestamps'),
    limitBytes: number('limitBytes', 1) ?? Number.POSITIVE_INFINITY,
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(since === undefined ? {} : { since }),
  };
}

/** @throws ApiError 400 */
function mustHaveRun(pod: KubeObject, container: string, previous: boolean): void {
  const name = pod.metadata.name ?? '';
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  const status = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    (one: { name: string }) => one.name === container,
  );
  const before = status?.lastState?.terminated;
  if (previous) {
    if (before !== undefined) return;
    throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  }
  if (status?.state?.running !== undefined || status?.state?.terminated !== undefined || before !== undefined) return;
  const reason: string = status?.state?.waiting?.reason ?? 'ContainerCreating';
  const wants = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'].includes(reason)
    ? `trying and failing to pull image`
    : `waiting to start: ${reason}`;
  throw badRequest(`container "${container}" in pod "${name}" is ${wants}`);
}

type Reader = (onLine: (line: { at: number; text: string }) => void, signal: AbortSignal) => Promise<void>;

async function send(exchange: Exchange, query: LogQuery, read: Reader, closing: AbortSignal): Promise<void> {
  const { response } = exchange;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  response.once('close', end);
  closing.addEventListener('abort', end, { once: true });
  if (closing.aborted) end();
  let left = query.limitBytes;
  const begin = (): void => {
    if (!response.headersSent) exchange.writeHead(200, { 'Content-Type': 'text/plain' });
  };
  try {
    if (query.follow) {
      begin();
      response.flushHeaders();
    }
    await read(({ at, text }) => {
      if (ending.signal.aborted) return;
      begin();
      let bytes = Buffer.from(`${query.timestamps ? `${nanoTime(at)} ` : ''}${text}\n`);
      if (bytes.length > left) bytes = bytes.subarray(0, left);
      left -= bytes.length;
      response.write(bytes);
      if (left <= 0 || response.writableLength > BEHIND_BYTES_MAX) end();
    }, ending.signal);
  } catch (err) {
    // A client that follows asks for ever again when it is told of an error: its stream ends instead.
    if (!response.headersSent) throw internalError((err as Error).message);
  } finally {
    response.off('close', end);
    closing.removeEventListener('abort', end);
  }
  begin();
  response.end();
}

/** RFC 3339 with nine decimals. */
function nanoTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000000Z');
}
