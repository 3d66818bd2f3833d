/** /api, /apis and below: which kinds there are. Source: kubernetes API discovery. */
import type { Kinds } from '../../kinds/kind.js';
import type { Exchange } from '../exchange.js';
import { discoveryVersion, JSON_TYPE, negotiateEncoding } from '../negotiation.js';
import { respond } from '../respond.js';
import { CachedPages } from './cached-page.js';
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from './discovery-documents.js';

export class DiscoveryPages {
  readonly #kinds: Kinds;
  readonly #advertised: () => string;
  readonly #pages: CachedPages;

  /** @param advertised `host:port` */
  constructor(kinds: Kinds, advertised: () => string) {
    this.#kinds = kinds;
    this.#advertised = advertised;
    this.#pages = new CachedPages(kinds);
  }

  /** @param path without a slash at its end. False if there is no such group or version. @throws ApiError 406 */
  async handle(exchange: Exchange, path: string): Promise<boolean> {
    const [, root, first, second, ...more] = path.split('/');
    if (more.length > 0) return false;
    const kinds = this.#kinds;
    if (first === undefined) {
      const version = discoveryVersion(exchange.accept);
      if (version !== null) {
        const type = `${JSON_TYPE};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
        const make = () => aggregatedDiscovery(kinds, root === 'api', version);
        return this.#pages.answer(exchange, `${path} ${version}`, type, make);
      }
    }
    const form = negotiateEncoding(exchange.accept);
    let make: () => unknown;
    if (root === 'api') {
      if (second !== undefined) return false;
      make = first === undefined ? () => apiVersions(this.#advertised()) : () => apiResourceList(kinds, '', first);
    } else if (root === 'apis') {
      if (first === undefined) make = () => apiGroupList(kinds);
      else if (second === undefined) make = () => apiGroup(kinds, first);
      else make = () => apiResourceList(kinds, first, second);
    } else return false;
    if (form.encoding === 'json' && !exchange.pretty) return this.#pages.answer(exchange, path, JSON_TYPE, make);
    const document = make();
    if (document === undefined) return false;
    respond(exchange, 200, document, form);
    return true;
  }
}
