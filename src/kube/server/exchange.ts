/** One request on its way through the server: what is known of it, and the way to its answer. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestInfo, UserInfo } from '../machinery/request.js';

/** The connection of a request that asks for another protocol on it. Who takes it over answers on it himself. */
export interface Upgrade {
  readonly socket: Duplex;
  /** What came behind the request's head. */
  readonly head: Buffer;
}

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upgrade: Upgrade | null;
  /** Set once the path is parsed. */
  info!: RequestInfo;
  /** Set by authentication, replaced by impersonation. */
  user!: UserInfo;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly auditId: string;
  /** Watches, proxies, logs: not timed, not limited. */
  longRunning = false;
  readonly #warnings: string[] = [];

  constructor(request: IncomingMessage, response: ServerResponse, startedAt: number, upgrade: Upgrade | null = null) {
    this.request = request;
    this.response = response;
    this.upgrade = upgrade;
    this.startedAt = startedAt;
    const given = request.headers['audit-id'];
    this.auditId = typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
  }

  get accept(): string | undefined {
    return this.request.headers.accept;
  }

  get isHead(): boolean {
    return this.request.method === 'HEAD';
  }

  get pretty(): boolean {
    const asked = this.info?.query.get('pretty') ?? null;
    if (asked !== null) return asked !== 'false' && asked !== '0';
    return /^(curl|Wget|Mozilla)\//.test(this.request.headers['user-agent'] ?? '');
  }

  /** For the Warning headers of the answer; one text is told once. */
  readonly warn = (text: string): void => {
    if (!this.#warnings.includes(text)) this.#warnings.push(text);
  };

  /** Sends the head of the answer with what every answer carries. */
  writeHead(status: number, headers: Readonly<Record<string, string>>): void {
    const warnings = this.#warnings.map(warningHeader);
    this.response.writeHead(status, {
      'Audit-Id': this.auditId,
      'Cache-Control': 'no-cache, private',
      ...(warnings.length === 0 ? {} : { Warning: warnings }),
      ...headers,
    });
  }
}

/** RFC 9111's predecessor, section 5.5 of RFC 7234: code 299, no agent, the text quoted. */
function warningHeader(text: string): string {
  // What a header may not hold becomes a space; what is not Latin-1 cannot be sent at all.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  const plain = text.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/[^\u0020-\u00ff]/g, '?');
  return `299 - "${plain.replace(/[\\"]/g, '\\$&')}"`;
}
