/** Calls webhooks: one HTTPS POST of JSON, answered by JSON. */
import type { RequestOptions } from 'node:https';
import { Agent, request as httpsRequest } from 'node:https';
import type { WebhookClientConfig } from './webhook.js';

/** Where a service can be reached from here. */
export interface ServiceResolver {
  /** Of one ready endpoint; null if there is none. @param port of the service */
  resolve(namespace: string, name: string, port: number): Promise<{ host: string; port: number } | null>;
}

/** The call came to nothing: which is for the failurePolicy to judge. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError';
  readonly code = 'ERR_WEBHOOK_CALL';
}

const ANSWER_BYTES_MAX = 7 * 1024 * 1024;
const AGENTS_MAX = 100;
const IDLE_MS = 30_000;

export class WebhookClient {
  readonly #services: ServiceResolver | undefined;
  /** Connections are kept, by target and authority. */
  readonly #agents = new Map<string, Agent>();

  /** @param services without it webhooks of services cannot be called */
  constructor(services?: ServiceResolver) {
    this.#services = services;
  }

  /** @throws WebhookCallError */
  async call(config: WebhookClientConfig, timeoutSeconds: number, body: unknown): Promise<unknown> {
    const { options, url } = await this.#target(config, timeoutSeconds);
    const data = Buffer.from(JSON.stringify(body));
    const ca = config.caBundle ? Buffer.from(config.caBundle, 'base64').toString('utf8') : undefined;
    const all: RequestOptions = {
      ...options,
      method: 'POST',
      agent: this.#agent(`${options.servername ?? options.hostname} ${options.port} ${config.caBundle ?? ''}`),
      ...(ca === undefined ? {} : { ca }),
      headers: {
        ...options.headers,
        'content-type': 'application/json',
        accept: 'application/json',
        'content-length': data.length,
      },
    };
    const deadline = Date.now() + timeoutSeconds * 1000;
    try {
      const text = await post(all, data, deadline);
      return JSON.parse(text);
    } catch (error) {
      throw new WebhookCallError(`failed to call webhook: Post ${JSON.stringify(url)}: ${(error as Error).message}`);
    }
  }

  stop(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #target(
    config: WebhookClientConfig,
    timeoutSeconds: number,
  ): Promise<{ options: RequestOptions; url: string }> {
    const timeout = `timeout=${timeoutSeconds}s`;
    if (config.service === undefined || config.service === null) {
      const url = parsed(config.url ?? '');
      url.search = url.search === '' ? `?${timeout}` : `${url.search}&${timeout}`;
      const { hostname, port, pathname, search } = url;
      const host = hostname.replace(/^\[(.*)\]$/, '$1');
      return { options: { hostname: host, port: port || 443, path: pathname + search }, url: url.href };
    }
    const { namespace, name, path = '', port = 443 } = config.service;
    const target = await this.#services?.resolve(namespace, name, port);
    const servername = `${name}.${namespace}.svc`;
    const full = `${path.startsWith('/') ? path : `/${path}`}?${timeout}`;
    const url = `https://${servername}:${port}${full}`;
    if (target === undefined || target === null) {
      const why =
        this.#services === undefined ? 'services cannot be reached from here' : 'no endpoints available for service';
      throw new WebhookCallError(`failed to call webhook: Post ${JSON.stringify(url)}: ${why} ${JSON.stringify(name)}`);
    }
    const headers = { host: `${servername}:${port}` };
    return { options: { hostname: target.host, port: target.port, servername, path: full, headers }, url };
  }

  #agent(key: string): Agent {
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    if (this.#agents.size >= AGENTS_MAX) {
      const [oldest, agent] = this.#agents.entries().next().value!;
      agent.destroy();
      this.#agents.delete(oldest);
    }
    const agent = new Agent({ keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' });
    this.#agents.set(key, agent);
    return agent;
  }
}

function parsed(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new WebhookCallError(`invalid url ${JSON.stringify(text)}`);
  }
  if (url.protocol !== 'https:') throw new WebhookCallError(`webhook url ${JSON.stringify(text)} is not https`);
  return url;
}

/** @param deadline ms of the epoch */
function post(options: RequestOptions, data: Buffer, deadline: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(options);
    const timer = setTimeout(
      () => request.destroy(new Error('context deadline exceeded')),
      Math.max(0, deadline - Date.now()),
    );
    const done = (settle: () => void) => {
      clearTimeout(timer);
      settle();
    };
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The other side closed a kept connection as we wrote on it: nothing of this request has been seen.
      const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      done(() => (stale ? resolve(post(options, data, deadline)) : reject(error)));
    });
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > ANSWER_BYTES_MAX) request.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      response.on('error', (error) => done(() => reject(error)));
      response.on('aborted', () => done(() => reject(new Error('unexpected EOF'))));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) done(() => resolve(text));
        else done(() => reject(new Error(`the server answered ${statusCode}: ${text.slice(0, 200).trim()}`)));
      });
    });
    request.end(data);
  });
}
