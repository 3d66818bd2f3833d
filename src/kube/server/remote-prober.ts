/** Looks after the servers of the aggregation layer: whether they answer, and what they serve. */
import { request } from 'node:https';
import type { ApiServices, RemoteService } from '../crd/index.js';
import { ApiError } from '../machinery/api-error.js';
import type { RemoteVersion } from '../machinery/discovery.js';
import { SERVER_USER } from '../rest/keeper.js';
import type { AggregationOptions } from './aggregation.js';
import { remoteHeaders, remoteTarget } from './aggregation.js';
import type { RemoteVersions } from './pages/discovery.js';

const ROUND_MS = 30_000;
const ANSWER_MS = 5000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

type Resources = RemoteVersion['resources'];

interface Finding {
  readonly available: boolean;
  readonly reason: string;
  readonly message: string;
  readonly resources: Resources | null;
}

export interface ProberOptions extends AggregationOptions {
  readonly services: ApiServices;
  /** Between two rounds, ms. Default 30 s. */
  readonly roundMs?: number;
  readonly onError?: (error: unknown) => void;
}

export class RemoteProber implements RemoteVersions {
  readonly #options: ProberOptions;
  readonly #known = new Map<string, { readonly remote: RemoteService; readonly version: RemoteVersion }>();
  generation = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running = false;
  #again = false;
  #stopped = false;
  #unfollow: () => void = () => {};

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  start(): void {
    this.#unfollow = this.#options.services.services.onChange((object, old) => {
      // Its own findings are no reason to look again.
      const before = JSON.stringify(old?.spec?.service ?? null);
      const after = JSON.stringify(object?.spec?.service ?? null);
      if (before !== after) void this.round();
    });
    void this.round();
  }

  stop(): void {
    this.#stopped = true;
    this.#unfollow();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  list(): readonly RemoteVersion[] {
    return [...this.#known.values()].map(({ version }) => version);
  }

  /** Asks each of them once. */
  async round(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    do {
      this.#again = false;
      try {
        const remotes = this.#options.services.remotes();
        const names = new Set(remotes.map(({ name }) => name));
        for (const name of this.#known.keys()) if (!names.has(name) && this.#known.delete(name)) this.generation++;
        await Promise.all(remotes.map((remote) => this.#look(remote)));
      } catch (err) {
        this.#options.onError?.(err);
      }
    } while (this.#again && !this.#stopped);
    this.#running = false;
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.round(), this.#options.roundMs ?? ROUND_MS);
    this.#timer.unref();
  }

  async #look(remote: RemoteService): Promise<void> {
    const { available, reason, message, resources } = await this.#probe(remote);
    if (this.#stopped) return;
    await this.#options.services.setAvailable(remote.name, available, reason, message);
    const old = this.#known.get(remote.name)?.version;
    const version: RemoteVersion = {
      group: remote.group,
      version: remote.version,
      stale: !available,
      resources: resources ?? old?.resources ?? [],
    };
    if (JSON.stringify(old) === JSON.stringify(version)) return;
    this.#known.set(remote.name, { remote, version });
    this.generation++;
  }

  async #probe(remote: RemoteService): Promise<Finding> {
    const { namespace, name, port } = remote.service;
    const failed = (reason: string, message: string): Finding => ({
      available: false,
      reason,
      message,
      resources: null,
    });
    const path = `/apis/${remote.group}/${remote.version}`;
    try {
      const target = await remoteTarget(this.#options, remote, path);
      const resources = await resourcesOf(target);
      return { available: true, reason: 'Passed', message: 'all checks passed', resources };
    } catch (err) {
      if (!(err instanceof ApiError)) {
        const why = `failing or missing response from https://${name}.${namespace}.svc:${port}${path}`;
        return failed('FailedDiscoveryCheck', `${why}: ${(err as Error).message}`);
      }
      if (err.code === 404)
        return failed('ServiceNotFound', `service/${name} in ${JSON.stringify(namespace)} is not present`);
      if (err.message.startsWith('no service port')) {
        return failed(
          'ServicePortError',
          `service/${name} in ${JSON.stringify(namespace)} is not listening on port ${port}`,
        );
      }
      return failed(
        'MissingEndpoints',
        `endpoints for service/${name} in ${JSON.stringify(namespace)} have no addresses`,
      );
    }
  }
}

function resourcesOf(target: Awaited<ReturnType<typeof remoteTarget>>): Promise<Resources> {
  return new Promise((resolve, reject) => {
    const { host, port, path, tls } = target;
    const headers = { ...remoteHeaders(SERVER_USER), accept: 'application/json', host: tls?.servername ?? host };
    const asked = request({ host, port, path, headers, ...tls, agent: false, timeout: ANSWER_MS }, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > ANSWER_BYTES_MAX) asked.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      answer.on('end', () => {
        if (answer.statusCode !== 200) return reject(new Error(`bad status: ${answer.statusCode}`));
        try {
          const { resources } = JSON.parse(Buffer.concat(chunks).toString()) as { resources?: Resources };
          resolve(Array.isArray(resources) ? resources : []);
        } catch (err) {
          reject(err as Error);
        }
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('error', reject);
    asked.end();
  });
}
