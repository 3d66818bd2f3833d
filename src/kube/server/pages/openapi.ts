/** /openapi/v3: schemas of what is served, a document for each group and version. Source: kubernetes OpenAPI v3. */
import type { Kinds } from '../../kinds/kind.js';
import { OpenApi } from '../../machinery/openapi.js';
import type { Exchange } from '../exchange.js';
import { JSON_TYPE } from '../negotiation.js';
import { respondDocument } from './document-page.js';
import { KUBERNETES_VERSION } from './version.js';

export class OpenApiPages {
  readonly #kinds: Kinds;
  readonly #documents = new OpenApi(KUBERNETES_VERSION.gitVersion);
  #generation = -1;

  constructor(kinds: Kinds) {
    this.#kinds = kinds;
  }

  /** False if there is no such document. */
  async handle(exchange: Exchange, path: string): Promise<boolean> {
    if (this.#generation !== this.#kinds.generation) {
      this.#generation = this.#kinds.generation;
      this.#documents.serve(this.#kinds.all());
    }
    if (path === '/openapi/v3') return respondDocument(exchange, this.#documents.index(), JSON_TYPE);
    if (!path.startsWith('/openapi/v3/')) return false;
    const document = this.#documents.document(path.slice('/openapi/v3/'.length));
    return respondDocument(exchange, document, JSON_TYPE);
  }
}
