/** /openapi/v3: schemas of what is served, a document for each group and version. Source: kubernetes OpenAPI v3. */
import type { Kind, Kinds } from '../../kinds/kind.js';
import { apiVersionOf } from '../../machinery/object.js';
import type { Exchange } from '../exchange.js';
import { JSON_TYPE } from '../negotiation.js';
import { CachedPages } from './cached-page.js';
import { KUBERNETES_VERSION } from './version.js';

/** `api/v1`, `apis/apps/v1` */
function pathOf(kind: Kind): string {
  return `${kind.group === '' ? 'api' : 'apis'}/${apiVersionOf(kind)}`;
}

export class OpenApiPages {
  readonly #kinds: Kinds;
  readonly #pages: CachedPages;

  constructor(kinds: Kinds) {
    this.#kinds = kinds;
    this.#pages = new CachedPages(kinds);
  }

  /** False if there is no such document. */
  async handle(exchange: Exchange, path: string): Promise<boolean> {
    if (path === '/openapi/v3') return this.#pages.answer(exchange, path, JSON_TYPE, () => this.#index());
    if (!path.startsWith('/openapi/v3/')) return false;
    const name = path.slice('/openapi/v3/'.length);
    return this.#pages.answer(exchange, path, JSON_TYPE, () => this.#document(name));
  }

  #index(): unknown {
    const paths: Record<string, { serverRelativeURL: string }> = {};
    for (const name of new Set(this.#kinds.all().map(pathOf))) {
      const page = this.#pages.page(`/openapi/v3/${name}`, () => this.#document(name));
      const hash = page === undefined ? '' : `?hash=${page.etag.replaceAll('"', '')}`;
      paths[name] = { serverRelativeURL: `/openapi/v3/${name}${hash}` };
    }
    return { paths };
  }

  #document(name: string): unknown {
    const kinds = this.#kinds.all().filter((kind) => pathOf(kind) === name);
    if (kinds.length === 0) return undefined;
    const paths: Record<string, unknown> = {};
    for (const kind of kinds) {
      const base = `/${name}/${kind.namespaced ? 'namespaces/{namespace}/' : ''}${kind.plural}/{name}`;
      const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
      const parameters = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((parameter) => ({
        name: parameter,
        in: 'query',
        schema: { type: parameter === 'force' ? 'boolean' : 'string' },
      }));
      paths[base] = {
        patch: {
          'x-kubernetes-action': 'patch',
          'x-kubernetes-group-version-kind': gvk,
          parameters,
          requestBody: { content: { 'application/json-patch+json': {}, 'application/merge-patch+json': {} } },
          responses: { '200': { description: 'OK' } },
        },
      };
    }
    const info = { title: 'Kubernetes', version: KUBERNETES_VERSION.gitVersion };
    return { openapi: '3.0.0', info, paths, components: { schemas: {} } };
  }
}
