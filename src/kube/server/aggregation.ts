/** Requests for a group and version that another server answers. Source: kubernetes aggregation layer. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { ApiServices, RemoteService } from '../crd/index.js';
import type { ObjectReader } from '../kinds/kind.js';
import { ApiError, serviceUnavailable } from '../machinery/api-error.js';
import type { UserInfo } from '../machinery/request.js';
import type { Exchange } from './exchange.js';
import type { ProxyTarget } from './proxy/reverse-proxy.js';
import { proxyRequest } from './proxy/reverse-proxy.js';
import { serviceAddress } from './proxy/service-address.js';

export interface AggregationOptions {
  readonly services: Pick<ApiServices, 'remote'>;
  readonly objects: ObjectReader;
  /** What we show to other servers; PEM. They believe our X-Remote headers by it. */
  readonly proxyCert: string;
  readonly proxyKey: string;
}

export class Aggregation {
  readonly #options: AggregationOptions;

  constructor(options: AggregationOptions) {
    this.#options = options;
  }

  /** False if the request is ours. @throws ApiError 503 */
  async serve(exchange: Exchange): Promise<boolean> {
    const match = /^\/apis\/([^/]+)\/([^/]+)(\/|$)/.exec(exchange.info.path);
    if (match === null) return false;
    const remote = this.#options.services.remote(match[1] as string, match[2] as string);
    if (remote === undefined) return false;
    if (!remote.available) throw serviceUnavailable('service unavailable');
    let target: ProxyTarget;
    try {
      target = await remoteTarget(this.#options, remote, exchange.request.url ?? '/');
    } catch (err) {
      if (err instanceof ApiError) throw serviceUnavailable('service unavailable');
      throw err;
    }
    await proxyRequest(exchange, { ...target, headers: remoteHeaders(exchange.user, exchange.request.headers) });
    return true;
  }
}

/** @throws ApiError 404, 503 where the service leads nowhere */
export async function remoteTarget(
  { objects, proxyCert, proxyKey }: AggregationOptions,
  { service, insecureSkipTLSVerify, ca }: RemoteService,
  path: string,
): Promise<ProxyTarget> {
  const { host, port } = await serviceAddress(objects, service.namespace, service.name, String(service.port));
  return {
    secure: true,
    host,
    port,
    path,
    tls: {
      servername: `${service.name}.${service.namespace}.svc`,
      rejectUnauthorized: !insecureSkipTLSVerify,
      cert: proxyCert,
      key: proxyKey,
      ...(ca === undefined ? {} : { ca: ca.toString() }),
    },
  };
}

/** Who asks, in the words of an authenticating proxy. @param given headers that the client sent */
export function remoteHeaders(
  { username, uid, groups, extra }: UserInfo,
  given: Readonly<Record<string, unknown>> = {},
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  // What the client says of itself in these is not believed by us, and must not be by others.
  for (const name of Object.keys(given)) {
    if (name.startsWith('x-remote-') || name.startsWith('impersonate-')) headers[name] = undefined;
  }
  headers['x-remote-user'] = username;
  if (uid !== '') headers['x-remote-uid'] = uid;
  headers['x-remote-group'] = [...groups];
  for (const [key, values] of Object.entries(extra)) {
    headers[`x-remote-extra-${encodeURIComponent(key.toLowerCase())}`] = [...values];
  }
  return headers;
}
