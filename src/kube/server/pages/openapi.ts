/** /openapi/v3: schemas of what is served. Source: kubernetes OpenAPI v3. */
import type { Kinds } from '../../kinds/kind.js';
import type { Exchange } from '../exchange.js';
import { JSON_TYPE } from '../negotiation.js';
import { CachedPages } from './cached-page.js';

export class OpenApiPages {
  readonly #pages: CachedPages;

  constructor(kinds: Kinds) {
    this.#pages = new CachedPages(kinds);
  }

  async handle(exchange: Exchange, path: string): Promise<boolean> {
    if (path === '/openapi/v3') return this.#pages.answer(exchange, path, JSON_TYPE, () => ({ paths: {} }));
    return false;
  }
}
