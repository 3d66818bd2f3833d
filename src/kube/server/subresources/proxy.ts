/** services/proxy, pods/proxy and nodes/proxy: plain HTTP to where they are reached. Source: kubernetes API proxies. */
import type { Kind, ObjectReader } from '../../kinds/kind.js';
import { ApiError, badRequest } from '../../machinery/api-error.js';
import type { Exchange } from '../exchange.js';
import type { ServerParts } from '../parts.js';
import type { ProxyTarget } from '../proxy/reverse-proxy.js';
import { proxyRequest } from '../proxy/reverse-proxy.js';
import { serviceAddress } from '../proxy/service-address.js';
import { admitSubresource } from './admit.js';
import type { SubresourceHandler } from './subresource.js';

interface Named {
  /** Empty: not said. */
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

export function proxyHandler(parts: ServerParts, objects: ObjectReader): SubresourceHandler {
  return async (exchange, kind) => {
    const { info } = exchange;
    const named = parseName(info.name);
    await admitSubresource(parts, exchange, kind, 'CONNECT', null);
    const address = await addressOf(parts, objects, kind, exchange, named);
    const rest = info.rest === '' ? '/' : info.rest;
    const query = exchange.request.url?.indexOf('?') ?? -1;
    const target: ProxyTarget = {
      secure: named.scheme === '' ? address.secure : named.scheme === 'https',
      host: address.host,
      port: address.port,
      path: query < 0 ? rest : `${rest}${exchange.request.url?.slice(query)}`,
      headers: { 'x-forwarded-uri': info.path },
      // Certificates of pods and nodes are their own; who they are is what the API says.
      tls: { rejectUnauthorized: false },
      locationPrefix: info.path.slice(0, info.path.length - info.rest.length),
    };
    await proxyRequest(exchange, target);
  };
}

/** `web`, `web:80`, `https:web:443`, `http:web:`. */
function parseName(text: string): Named {
  const parts = text.split(':');
  if (parts.length === 1) return { scheme: '', name: text, port: '' };
  if (parts.length === 2) return { scheme: '', name: parts[0] as string, port: parts[1] as string };
  const [scheme = '', name = '', port = ''] = parts;
  if (parts.length > 3 || !['http', 'https', ''].includes(scheme)) {
    throw badRequest(`invalid service, pod or node name ${JSON.stringify(text)}`);
  }
  return { scheme, name, port };
}

async function addressOf(
  parts: ServerParts,
  objects: ObjectReader,
  kind: Kind,
  exchange: Exchange,
  { name, port }: Named,
): Promise<{ host: string; port: number; secure: boolean }> {
  if (kind.plural === 'services') return await serviceAddress(objects, exchange.info.namespace, name, port);
  const object = await parts.resources.of(kind).get(kind.namespaced ? exchange.info.namespace : '', name);
  if (kind.plural === 'nodes') {
    const addresses: readonly { type: string; address: string }[] = object.status?.addresses ?? [];
    const host = (addresses.find((one) => one.type === 'InternalIP') ?? addresses[0])?.address;
    const number = port === '' ? object.status?.daemonEndpoints?.kubeletEndpoint?.Port : Number(port);
    if (host === undefined || !isPort(number)) throw unreachable(`no address of node ${JSON.stringify(name)} is known`);
    return { host, port: number, secure: port === '' };
  }
  const host: string = object.status?.podIP ?? '';
  if (host === '') throw badRequest(`pod ${JSON.stringify(name)} has no address yet`);
  const number = port === '' ? firstPort(object.spec?.containers) : portOf(object.spec?.containers, port);
  if (!isPort(number)) throw badRequest(`no port ${JSON.stringify(port)} of pod ${JSON.stringify(name)}`);
  return { host, port: number, secure: false };
}

interface ContainerWithPorts {
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
}

function firstPort(containers: readonly ContainerWithPorts[] = []): number {
  return containers.flatMap((one) => one.ports ?? [])[0]?.containerPort ?? 80;
}

function portOf(containers: readonly ContainerWithPorts[] = [], port: string): number | undefined {
  if (/^\d+$/.test(port)) return Number(port);
  return containers.flatMap((one) => one.ports ?? []).find((one) => one.name === port)?.containerPort;
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65536;
}

function unreachable(message: string): ApiError {
  return new ApiError(503, 'ServiceUnavailable', message, {});
}
