/** Requests for a group and version that another server answers. Source: kubernetes aggregation layer. */
import type { ObjectReader } from '../kinds/kind.js';
import { ApiError, serviceUnavailable } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { Exchange } from './exchange.js';
import { proxyRequest } from './proxy/reverse-proxy.js';
import { serviceAddress } from './proxy/service-address.js';

/** Where APIServices are looked up; kept in memory. */
export interface ApiServices {
  get(name: string): KubeObject | undefined;
}

export interface AggregationOptions {
  readonly services: ApiServices;
  readonly objects: ObjectReader;
  /** What we show to other servers; PEM. They believe our X-Remote headers by it. */
  readonly proxyCert: string;
  readonly proxyKey: string;
}

export class Aggregation {
  readonly #options: AggregationOptions | null;

  constructor(options: AggregationOptions | null) {
    this.#options = options;
  }

  /** False if the request is ours. @throws ApiError 503 */
  async serve(exchange: Exchange): Promise<boolean> {
    const options = this.#options;
    if (options === null) return false;
    const service = this.#serviceOf(exchange.info.path);
    if (service === undefined) return false;
    const { spec } = service;
    if (isUnavailable(service)) throw serviceUnavailable();
    const { namespace, name, port = 443 } = spec.service;
    let address: Awaited<ReturnType<typeof serviceAddress>>;
    try {
      address = await serviceAddress(options.objects, namespace, name, String(port));
    } catch (err) {
      if (err instanceof ApiError) throw serviceUnavailable();
      throw err;
    }
    await proxyRequest(exchange, {
      secure: true,
      host: address.host,
      port: address.port,
      path: exchange.request.url ?? '/',
      headers: remoteHeaders(exchange),
      tls: {
        servername: `${name}.${namespace}.svc`,
        rejectUnauthorized: spec.insecureSkipTLSVerify !== true,
        cert: options.proxyCert,
        key: options.proxyKey,
        ...(spec.caBundle === undefined ? {} : { ca: Buffer.from(spec.caBundle, 'base64').toString() }),
      },
    });
    return true;
  }

  #serviceOf(path: string): KubeObject | undefined {
    const match = /^\/apis\/([^/]+)\/([^/]+)(\/|$)/.exec(path);
    if (match === null) return undefined;
    const found = this.#options?.services.get(`${match[2]}.${match[1]}`);
    return found?.spec?.service === undefined || found.spec.service === null ? undefined : found;
  }
}

function isUnavailable(service: KubeObject): boolean {
  const conditions: readonly { type: string; status: string }[] = service.status?.conditions ?? [];
  return conditions.some((one) => one.type === 'Available' && one.status === 'False');
}

/** Who asks, in the words of an authenticating proxy. */
function remoteHeaders({ user, request }: Exchange): Record<string, string | string[] | undefined> {
  const headers: Record<string, string | string[] | undefined> = {};
  // What the client says of itself in these is not believed by us, and must not be by others.
  for (const name of Object.keys(request.headers)) {
    if (name.startsWith('x-remote-') || name.startsWith('impersonate-')) headers[name] = undefined;
  }
  headers['x-remote-user'] = user.username;
  headers['x-remote-uid'] = user.uid === '' ? undefined : user.uid;
  headers['x-remote-group'] = [...user.groups];
  for (const [key, values] of Object.entries(user.extra)) {
    headers[`x-remote-extra-${encodeURIComponent(key.toLowerCase())}`] = [...values];
  }
  return headers;
}
