/** /api, /apis and below: which kinds there are. Source: kubernetes API discovery. */
import type { Kinds } from '../../kinds/kind.js';
import type { RemoteVersion } from '../../machinery/discovery.js';
import { Discovery } from '../../machinery/discovery.js';
import type { KubeDocument } from '../../machinery/document.js';
import type { Exchange } from '../exchange.js';
import { discoveryVersion, JSON_TYPE, negotiateEncoding } from '../negotiation.js';
import { respondDocument } from './document-page.js';

/** What other servers answer for, as they tell it. */
export interface RemoteVersions {
  list(): readonly RemoteVersion[];
  /** Counts changes. */
  readonly generation: number;
}

export class DiscoveryPages {
  readonly #kinds: Kinds;
  readonly #remotes: RemoteVersions;
  readonly #advertised: () => string;
  #made: { readonly of: string; readonly discovery: Discovery } | null = null;

  /** @param advertised `host:port` */
  constructor(kinds: Kinds, remotes: RemoteVersions, advertised: () => string) {
    this.#kinds = kinds;
    this.#remotes = remotes;
    this.#advertised = advertised;
  }

  /** @param path without a slash at its end. False if there is no such group or version. @throws ApiError 406 */
  async handle(exchange: Exchange, path: string): Promise<boolean> {
    const [, root, first, second, ...more] = path.split('/');
    if (more.length > 0 || (root !== 'api' && root !== 'apis')) return false;
    const discovery = this.#discovery();
    if (first === undefined) {
      const version = discoveryVersion(exchange.accept);
      if (version !== null) {
        const type = `${JSON_TYPE};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
        return respondDocument(exchange, discovery.aggregated(root === 'api', version), type);
      }
    }
    const form = negotiateEncoding(exchange.accept);
    return respondDocument(exchange, this.#find(discovery, root, first, second), JSON_TYPE, form);
  }

  #find(discovery: Discovery, root: string, first?: string, second?: string): KubeDocument | undefined {
    if (root === 'api') {
      if (second !== undefined) return undefined;
      return first === undefined ? discovery.coreVersions(this.#advertised()) : discovery.resourceList('', first);
    }
    if (first === undefined) return discovery.groupList();
    return second === undefined ? discovery.group(first) : discovery.resourceList(first, second);
  }

  #discovery(): Discovery {
    const of = `${this.#kinds.generation} ${this.#remotes.generation}`;
    if (this.#made?.of !== of) {
      this.#made = { of, discovery: new Discovery(this.#kinds.all(), this.#remotes.list()) };
    }
    return this.#made.discovery;
  }
}
