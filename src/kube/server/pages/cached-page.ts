/** Documents that change only when what is served does: made once, tagged, and not sent to who has them already. */
import { createHash } from 'node:crypto';
import type { Kinds } from '../../kinds/kind.js';
import type { Exchange } from '../exchange.js';
import { respondText } from '../respond.js';

interface Page {
  readonly body: Buffer;
  readonly etag: string;
}

export class CachedPages {
  readonly #kinds: Kinds;
  readonly #pages = new Map<string, Page>();
  #generation = -1;

  constructor(kinds: Kinds) {
    this.#kinds = kinds;
  }

  /** @param make undefined: there is no such document @returns whether there is */
  answer(exchange: Exchange, key: string, contentType: string, make: () => unknown): boolean {
    const page = this.page(key, make);
    if (page === undefined) return false;
    const headers = { ETag: page.etag, Vary: 'Accept' };
    const known = exchange.request.headers['if-none-match']?.split(',').map((tag) => tag.trim());
    if (known?.includes(page.etag) === true) {
      exchange.writeHead(304, headers);
      exchange.response.end();
      return true;
    }
    respondText(exchange, 200, page.body, { 'Content-Type': contentType, ...headers });
    return true;
  }

  page(key: string, make: () => unknown): Page | undefined {
    if (this.#generation !== this.#kinds.generation) {
      this.#pages.clear();
      this.#generation = this.#kinds.generation;
    }
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const document = make();
    if (document === undefined) return undefined;
    const body = Buffer.from(`${JSON.stringify(document)}\n`);
    const page = { body, etag: `"${createHash('sha256').update(body).digest('hex').slice(0, 32).toUpperCase()}"` };
    this.#pages.set(key, page);
    return page;
  }
}
