import type { HttpRequest, HttpResponse } from './http.js';
import { httpError } from './http.js';

/** What a browser may do to a member: which pages may ask it (CORS), and under which names it goes. */
export class Access {
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;

  /** @param origins --cors @param hosts --host-whitelist; `*` in either, or nothing at all, is everyone */
  constructor(origins: readonly string[], hosts: readonly string[]) {
    this.#origins = new Set(origins);
    this.#hosts = new Set(hosts);
  }

  /** Null: the request may come by this name. Over TLS the certificate has answered the question. */
  refusal(request: HttpRequest): HttpResponse | null {
    if (request.secure || this.#hosts.size === 0 || this.#hosts.has('*')) return null;
    const host = hostName(request.host);
    return this.#hosts.has(host) ? null : httpError(421, wrongHost(host));
  }

  headers(origin: string | undefined): Readonly<Record<string, string>> {
    const origins = this.#origins;
    const allowed =
      origins.size === 0 || origins.has('*') ? '*' : origin !== undefined && origins.has(origin) ? origin : null;
    if (allowed === null) return NONE;
    return {
      'Access-Control-Allow-Headers': 'accept, content-type, authorization',
      'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE',
      'Access-Control-Allow-Origin': allowed,
    };
  }
}

const NONE: Readonly<Record<string, string>> = {};

/** Without the port. */
function hostName(host: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):\d*$/.exec(host);
  return match === null ? host : (match[1] ?? match[2] ?? '');
}

/** As etcd says it. */
function wrongHost(host: string): string {
  return `
etcd received your request, but the Host header was unrecognized.

To fix this, choose one of the following options:
- Enable TLS, then any HTTPS request will be allowed.
- Add the hostname you want to use to the whitelist in settings.
  - e.g. etcd --host-whitelist ${JSON.stringify(host)}

This requirement has been added to help prevent "DNS Rebinding" attacks (CVE-2018-5702).
`;
}
