import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { makeCertificate } from '../../../src/env/tls/certificate.js';
import type { Plane } from './plane.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** Parsed; throws if it is no JSON. */
  readonly json: any;
}

type Asker = 'admin' | 'nobody' | 'stranger';

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
  /** Who asks: the administrator (default), nobody, or somebody with a certificate of an authority that is not ours. */
  readonly as?: Asker;
}

/** Plain HTTPS to a control plane: what no client library would send. */
export class ApiClient {
  readonly #plane: Plane;
  readonly #agents: Readonly<Record<Asker, Agent>>;

  constructor(plane: Plane) {
    this.#plane = plane;
    const pki = (name: string) => readFileSync(join(plane.dir, 'data', 'pki', name), 'utf8');
    const ca = pki('ca.crt');
    this.#agents = {
      admin: new Agent({ keepAlive: true, ca, cert: pki('admin.crt'), key: pki('admin.key') }),
      nobody: new Agent({ keepAlive: true, ca }),
      stranger: new Agent({
        keepAlive: true,
        ca,
        ...makeCertificate({ commonName: 'x', organization: 'system:masters' }),
      }),
    };
  }

  get ca(): X509Certificate {
    return new X509Certificate(readFileSync(join(this.#plane.dir, 'data', 'pki', 'ca.crt')));
  }

  call(line: string, options: CallOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = this.open(line, options);
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const { headers, statusCode = 0 } = response;
          resolve({
            status: statusCode,
            headers,
            text,
            get json() {
              return JSON.parse(text);
            },
          });
        });
      });
    });
  }

  /** The request, sent. @param line `GET /api/v1/pods` */
  open(line: string, { headers = {}, body, as = 'admin' }: CallOptions = {}) {
    const [method = 'GET', path = '/'] = line.split(' ');
    const isObject = typeof body === 'object' && !Buffer.isBuffer(body);
    const payload = body === undefined ? undefined : isObject ? JSON.stringify(body) : body;
    // A DELETE is not framed by itself.
    const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload as string)) };
    const outgoing = request(`${this.#plane.kube.url}${path}`, {
      method,
      agent: this.#agents[as],
      headers: { ...(isObject ? { 'content-type': 'application/json' } : {}), ...length, ...headers },
    });
    outgoing.end(payload);
    return outgoing;
  }

  /** A watch; its lines are kept. */
  async watch(path: string, options: CallOptions = {}): Promise<WatchLines> {
    const outgoing = this.open(`GET ${path}`, options);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
    });
    return new WatchLines(response, () => outgoing.destroy());
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

export class WatchLines {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly events: any[] = [];
  /** 'clean' or 'broken', once it has ended. */
  ended: 'clean' | 'broken' | null = null;
  readonly stop: () => void;
  #rest = '';
  #wake: () => void = () => {};

  constructor(response: IncomingMessage, stop: () => void) {
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.stop = stop;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      const lines = (this.#rest + chunk).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.events.push(JSON.parse(line));
      this.#wake();
    });
    response.on('error', () => {});
    response.on('close', () => {
      this.ended = response.complete ? 'clean' : 'broken';
      this.#wake();
    });
  }

  /** @throws after 10 s, or as told */
  async until(condition: (lines: WatchLines) => boolean, ms = 10_000): Promise<void> {
    const late = Date.now() + ms;
    while (!condition(this)) {
      if (Date.now() > late) throw new Error(`waited in vain, has ${JSON.stringify(this.events).slice(0, 2000)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  count(events: number): Promise<void> {
    return this.until((lines) => lines.events.length >= events);
  }
}
