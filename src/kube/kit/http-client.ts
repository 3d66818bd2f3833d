import type { IncomingMessage } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { JsonObject, KubeObject } from '../machinery/object.js';
import type {
  ApiClient,
  DeleteQuery,
  Gvr,
  ListQuery,
  ObjectListing,
  PatchKind,
  ResourceClient,
  WatchEventFromServer,
} from './api.js';
import { ApiStatusError } from './api-status-error.js';

export interface ApiClientOptions {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** PEM. Absent: the system's authorities. */
  readonly ca?: string | Buffer;
  /** PEM, together with key. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Bearer. */
  readonly token?: string;
  readonly insecureSkipTlsVerify?: boolean;
  /** Default `keel-kit`. Its part before the first slash is the default field manager. */
  readonly userAgent?: string;
  /** Of a call other than a watch, in ms. Default 30,000. */
  readonly timeoutMs?: number;
  /** Connections at once beside watches. Default 16. */
  readonly maxSockets?: number;
}

const PATCH_TYPES: Readonly<Record<PatchKind, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** A refusal that says when to try again is tried again so often. */
const RETRIES_MAX = 5;
/** A line of a watch beyond this is not an event. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | undefined;
}

/** A client of the Kubernetes API over HTTP/1.1. JSON only. */
export class HttpApiClient implements ApiClient {
  readonly #options: ApiClientOptions;
  readonly #base: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  /** Watches hold a connection each: they must not take those of the calls. */
  readonly #watchAgent: HttpAgent | HttpsAgent;
  readonly #resources = new Map<string, ResourceClient>();

  constructor(options: ApiClientOptions) {
    this.#options = options;
    this.#base = new URL(options.server);
    const tls = {
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.cert === undefined ? {} : { cert: options.cert }),
      ...(options.key === undefined ? {} : { key: options.key }),
      ...(options.insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
    };
    const make = (maxSockets: number) =>
      this.#base.protocol === 'https:'
        ? new HttpsAgent({ keepAlive: true, maxSockets, ...tls })
        : new HttpAgent({ keepAlive: true, maxSockets });
    this.#agent = make(options.maxSockets ?? 16);
    this.#watchAgent = make(Number.POSITIVE_INFINITY);
  }

  resource(gvr: Gvr): ResourceClient {
    const at = `${gvr.group}/${gvr.version}/${gvr.plural}`;
    let resource = this.#resources.get(at);
    if (resource === undefined) this.#resources.set(at, (resource = new HttpResource(this, gvr)));
    return resource;
  }

  async raw(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const { status, body: text } = await this.#once(method, path, 'application/json', body);
    try {
      return { status, body: JSON.parse(text) };
    } catch {
      return { status, body: text };
    }
  }

  close(): void {
    this.#agent.destroy();
    this.#watchAgent.destroy();
  }

  /** @throws ApiStatusError for what is not 2xx; refusals with Retry-After are tried again first */
  async call(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<JsonObject> {
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#once(method, path, contentType, body);
      if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.body) as JsonObject;
      if (answer.retryAfterMs === undefined || attempt >= RETRIES_MAX) throw refusal(answer);
      await new Promise((resolve) => setTimeout(resolve, answer.retryAfterMs));
    }
  }

  #once(method: string, path: string, contentType: string, body: unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const headers = payload === undefined ? {} : { 'content-type': contentType, 'content-length': payload.length };
      const request = this.#request(method, path, headers, this.#agent);
      request.setTimeout(this.#options.timeoutMs ?? 30_000, () =>
        request.destroy(new Error(`no answer to ${method} ${path} in time`)),
      );
      request.once('error', reject);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const wait = Number(response.headers['retry-after']);
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            retryAfterMs: Number.isFinite(wait) && wait >= 0 ? wait * 1000 : undefined,
          });
        });
      });
      request.end(payload);
    });
  }

  #request(method: string, path: string, headers: Record<string, string | number>, agent: HttpAgent | HttpsAgent) {
    const make = this.#base.protocol === 'https:' ? httpsRequest : httpRequest;
    return make({
      method,
      path: this.#base.pathname.replace(/\/$/, '') + path,
      host: this.#base.hostname.replace(/^\[|\]$/g, ''),
      port: this.#base.port === '' ? (this.#base.protocol === 'https:' ? 443 : 80) : Number(this.#base.port),
      agent,
      headers: {
        accept: 'application/json',
        'user-agent': this.#options.userAgent ?? 'keel-kit',
        ...(this.#options.token === undefined ? {} : { authorization: `Bearer ${this.#options.token}` }),
        ...headers,
      },
    });
  }

  /** Lines of a body as they come; resolves when the server ends it cleanly. */
  stream(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return resolve();
      const request = this.#request('GET', path, {}, this.#watchAgent);
      const abort = () => void request.destroy();
      signal.addEventListener('abort', abort, { once: true });
      const end = (err?: Error) => {
        signal.removeEventListener('abort', abort);
        if (err === undefined || signal.aborted) resolve();
        else reject(err);
      };
      request.once('error', end);
      request.once('response', (response) => void readLines(response, onLine, signal).then(() => end(), end));
      request.end();
    });
  }
}

async function readLines(
  response: IncomingMessage,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (response.statusCode !== 200) {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    throw refusal({
      status: response.statusCode ?? 0,
      body: Buffer.concat(chunks).toString(),
      retryAfterMs: undefined,
    });
  }
  let rest: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const last = chunk.subarray(from, at);
      const line = rest.length === 0 ? last.toString() : Buffer.concat([...rest, last]).toString();
      rest = [];
      bytes = 0;
      from = at + 1;
      if (signal.aborted) return;
      if (line !== '') onLine(line);
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > LINE_BYTES_MAX) throw new Error('a line of the watch has no end');
  }
  if (rest.length > 0) throw new Error('the watch ended within an event');
}

function refusal({ status, body }: Answer): ApiStatusError {
  try {
    const parsed = JSON.parse(body);
    if (parsed?.kind === 'Status') return ApiStatusError.from(status, parsed);
  } catch {
    // not a Status: what stands there is the message
  }
  return new ApiStatusError(status, 'Unknown', body.trim() || `HTTP ${status}`);
}

class HttpResource implements ResourceClient {
  readonly gvr: Gvr;
  readonly #client: HttpApiClient;
  readonly #prefix: string;

  constructor(client: HttpApiClient, gvr: Gvr) {
    this.#client = client;
    this.gvr = gvr;
    this.#prefix = gvr.group === '' ? `/api/${gvr.version}` : `/apis/${gvr.group}/${gvr.version}`;
  }

  get(namespace: string, name: string): Promise<KubeObject> {
    return this.#call('GET', this.#path(namespace, name));
  }

  async list(namespace: string, query: ListQuery = {}): Promise<ObjectListing> {
    const list = (await this.#client.call('GET', this.#path(namespace) + queryText({ ...query }))) as unknown as {
      kind: string;
      apiVersion: string;
      metadata: ObjectListing['metadata'];
      items: KubeObject[];
    };
    const kind = list.kind.replace(/List$/, '');
    const items = list.items.map((item) =>
      item.kind === undefined ? { ...item, apiVersion: list.apiVersion, kind } : item,
    );
    return { metadata: list.metadata, items };
  }

  create(namespace: string, object: KubeObject): Promise<KubeObject> {
    return this.#call('POST', this.#path(namespace), object);
  }

  update(namespace: string, object: KubeObject, subresource?: string): Promise<KubeObject> {
    return this.#call('PUT', this.#path(namespace, object.metadata.name ?? '', subresource), object);
  }

  patch(
    namespace: string,
    name: string,
    kind: PatchKind,
    body: JsonObject | readonly JsonObject[],
    options: { subresource?: string; fieldManager?: string; force?: boolean } = {},
  ): Promise<KubeObject> {
    const { subresource, ...query } = options;
    return this.#call('PATCH', this.#path(namespace, name, subresource) + queryText(query), body, PATCH_TYPES[kind]);
  }

  post(namespace: string, name: string, subresource: string, body: JsonObject): Promise<KubeObject> {
    return this.#call('POST', this.#path(namespace, name, subresource), body);
  }

  delete(namespace: string, name: string, query: DeleteQuery = {}): Promise<KubeObject> {
    return this.#call('DELETE', this.#path(namespace, name), deleteOptions(query));
  }

  async deleteCollection(namespace: string, query: DeleteQuery & ListQuery = {}): Promise<void> {
    const { propagationPolicy, gracePeriodSeconds, preconditions, ...selection } = query;
    const options = deleteOptions({
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(preconditions === undefined ? {} : { preconditions }),
    });
    await this.#call('DELETE', this.#path(namespace) + queryText({ ...selection }), options);
  }

  watch(
    namespace: string,
    query: ListQuery & { allowWatchBookmarks?: boolean; timeoutSeconds?: number },
    onEvent: (event: WatchEventFromServer) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const path = this.#path(namespace) + queryText({ watch: true, ...query });
    return this.#client.stream(path, (line) => onEvent(JSON.parse(line) as WatchEventFromServer), signal);
  }

  async #call(method: string, path: string, body?: unknown, contentType?: string): Promise<KubeObject> {
    return (await this.#client.call(method, path, body, contentType)) as unknown as KubeObject;
  }

  #path(namespace: string, name = '', subresource = ''): string {
    const within = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
    const object = name === '' ? '' : `/${encodeURIComponent(name)}`;
    return `${this.#prefix}${within}/${this.gvr.plural}${object}${subresource === '' ? '' : `/${subresource}`}`;
  }
}

function deleteOptions(query: DeleteQuery): JsonObject {
  return { kind: 'DeleteOptions', apiVersion: 'v1', ...(query as unknown as JsonObject) };
}

function queryText(query: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&');
  return text === '' ? '' : `?${text}`;
}
