/** Paths that lead to no object. */
import type { Kinds } from '../../kinds/kind.js';
import { methodNotAllowed } from '../../machinery/api-error.js';
import type { Exchange } from '../exchange.js';
import type { DiscoveryPages } from './discovery.js';
import type { HealthPages } from './health.js';
import { indexPage } from './index-page.js';
import type { ServerMetrics } from './metrics.js';
import type { OpenApiPages } from './openapi.js';
import type { TokenPages } from './tokens.js';
import { versionPage } from './version.js';

export interface Pages {
  readonly kinds: Kinds;
  readonly health: HealthPages;
  readonly discovery: DiscoveryPages;
  readonly openapi: OpenApiPages;
  readonly metrics: ServerMetrics;
  readonly tokens: TokenPages;
}

export class PageSet {
  readonly #pages: Pages;

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  /** False if there is no such path. @throws ApiError */
  async handle(exchange: Exchange): Promise<boolean> {
    const { health, discovery, openapi, metrics, tokens, kinds } = this.#pages;
    const { method } = exchange.request;
    if (method !== 'GET' && method !== 'HEAD') {
      if (/^\/(api|apis|openapi|version|metrics|healthz|livez|readyz)(\/|$)/.test(exchange.info.path)) {
        throw methodNotAllowed();
      }
      return false;
    }
    const path = exchange.info.path.replace(/(.)\/$/, '$1');
    switch (path) {
      case '/':
        indexPage(exchange, kinds);
        return true;
      case '/version':
        versionPage(exchange);
        return true;
      case '/metrics':
        await metrics.page(exchange);
        return true;
    }
    if (await health.handle(exchange)) return true;
    if (path.startsWith('/api')) return await discovery.handle(exchange, path);
    if (path.startsWith('/openapi/')) return await openapi.handle(exchange, path);
    return await tokens.handle(exchange, path);
  }
}
