/** /openapi/v3: schemas of what is served, a document for each group and version. Source: kubernetes OpenAPI v3. */
import type { Kinds } from '../../kinds/kind.js';
import { OpenApi } from '../../machinery/openapi.js';
import type { Exchange } from '../exchange.js';
import { JSON_TYPE } from '../negotiation.js';
import { respond, respondText } from '../respond.js';
import { respondDocument } from './document-page.js';
import { KUBERNETES_VERSION } from './version.js';

/** As clients ask for version 2, and how it is named in the answer: a media type may not hold an `@`. */
const V2_ASKED = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
const V2_SENT = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const INFO = { title: 'Kubernetes', version: KUBERNETES_VERSION.gitVersion };

/**
 * Version 2 names nothing: all is told by version 3. It is there because kubectl asks it about kinds that version 3 does
 * not have, and says what is really wrong with them only when it is answered.
 */
function respondV2(exchange: Exchange): true {
  if (exchange.accept?.includes(V2_ASKED) !== true) {
    respond(exchange, 200, { swagger: '2.0', info: INFO, paths: {}, definitions: {} });
    return true;
  }
  // Document: 1 swagger, 2 info (1 title, 2 version).
  const text = (field: number, value: string): Buffer =>
    Buffer.concat([Buffer.from([(field << 3) | 2, Buffer.byteLength(value)]), Buffer.from(value)]);
  const info = Buffer.concat([text(1, INFO.title), text(2, INFO.version)]);
  const document = Buffer.concat([text(1, '2.0'), Buffer.from([0x12, info.length]), info]);
  respondText(exchange, 200, document, { 'Content-Type': V2_SENT, Vary: 'Accept' });
  return true;
}

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
    if (path === '/openapi/v2') return respondV2(exchange);
    if (path === '/openapi/v3') return respondDocument(exchange, this.#documents.index(), JSON_TYPE);
    if (!path.startsWith('/openapi/v3/')) return false;
    const document = this.#documents.document(path.slice('/openapi/v3/'.length));
    return respondDocument(exchange, document, JSON_TYPE);
  }
}
