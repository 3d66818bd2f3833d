/**
 * OpenAPI v3: an index, and one document a group version. A document is made again only when the kinds of its group
 * version have changed, so that a new custom resource costs one small document.
 */
import type { KubeDocument } from './document.js';
import { jsonDocument } from './document.js';
import { pathsOf } from './openapi-paths.js';
import type { OpenApiSchema } from './openapi-schema.js';
import { Components, customComponentName } from './openapi-schema.js';
import type { ServedKind } from './served-kind.js';
import { pathOf } from './served-kind.js';
import { refOf } from './types/groups.js';

interface Part {
  readonly kinds: readonly ServedKind[];
  readonly document: KubeDocument;
}

export class OpenApi {
  readonly #version: string;
  #kinds: readonly ServedKind[] = [];
  #parts: ReadonlyMap<string, Part> = new Map();
  #index: KubeDocument | undefined;
  #stale = true;

  /** @param version of the server, `v1.36.0` */
  constructor(version: string) {
    this.#version = version;
  }

  /** The kinds that are served from now on; nothing is made before it is asked for. */
  serve(kinds: readonly ServedKind[]): void {
    this.#kinds = kinds;
    this.#stale = true;
  }

  /** `/openapi/v3`. @param remote documents of other servers, by path (`apis/metrics.k8s.io/v1beta1`), with their URL */
  index(remote: Readonly<Record<string, string>> = {}): KubeDocument {
    this.#refresh();
    const none = Object.keys(remote).length === 0;
    if (none && this.#index !== undefined) return this.#index;
    const paths: Record<string, { serverRelativeURL: string }> = {};
    for (const [path, part] of this.#parts) {
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${part.document.hash}` };
    }
    for (const [path, url] of Object.entries(remote)) paths[path] ??= { serverRelativeURL: url };
    const index = jsonDocument({ paths });
    if (none) this.#index = index;
    return index;
  }

  /** @param path `api/v1`, `apis/apps/v1` */
  document(path: string): KubeDocument | undefined {
    this.#refresh();
    return this.#parts.get(path)?.document;
  }

  #refresh(): void {
    if (!this.#stale) return;
    const byPath = new Map<string, ServedKind[]>();
    for (const kind of this.#kinds) {
      const path = pathOf(kind);
      const group = byPath.get(path);
      if (group === undefined) byPath.set(path, [kind]);
      else group.push(kind);
    }
    const parts = new Map<string, Part>();
    for (const [path, kinds] of byPath) {
      const before = this.#parts.get(path);
      const same = before?.kinds.length === kinds.length && before.kinds.every((kind, i) => kind === kinds[i]);
      parts.set(path, same ? (before as Part) : { kinds, document: documentOf(kinds, this.#version) });
    }
    this.#parts = parts;
    this.#index = undefined;
    this.#stale = false;
  }
}

function documentOf(kinds: readonly ServedKind[], version: string): KubeDocument {
  const components = new Components();
  const foreign = (gvk: { group: string; version: string; kind: string }) => {
    const ref = refOf(gvk.group, gvk.version, gvk.kind);
    return ref === undefined ? undefined : components.struct(ref);
  };
  const paths: Record<string, unknown> = {};
  for (const kind of kinds) {
    const { schema, list } = kindSchemas(components, kind);
    Object.assign(paths, pathsOf(kind, schema, list, foreign));
  }
  return jsonDocument({
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths,
    components: { schemas: components.schemas },
  });
}

function kindSchemas(components: Components, kind: ServedKind): { schema: OpenApiSchema; list: OpenApiSchema } {
  const { ref } = kind.schema;
  if (ref !== undefined) {
    const listRef = refOf(kind.group, kind.version, `${kind.kind}List`);
    return { schema: components.struct(ref), list: listRef === undefined ? {} : components.struct(listRef) };
  }
  const { group, version } = kind;
  const listKind = kind.listKind ?? `${kind.kind}List`;
  const name = customComponentName(group, version, kind.kind);
  const schema = components.add(name, customSchema(components, kind));
  const list = components.add(customComponentName(group, version, listKind), {
    description: `A list of ${kind.kind} objects.`,
    type: 'object',
    properties: {
      ...TYPE_META,
      metadata: components.struct('meta.v1/ListMeta'),
      items: { type: 'array', description: 'The objects.', items: schema },
    },
    required: ['items'],
    'x-kubernetes-group-version-kind': [{ group, version, kind: listKind }],
  });
  return { schema, list };
}

const TYPE_META = {
  apiVersion: { type: 'string', description: 'Group and version of the schema that the object follows.' },
  kind: { type: 'string', description: 'The type of the object.' },
};

/** As its definition says it, with the members that every object has. */
function customSchema(components: Components, kind: ServedKind): OpenApiSchema {
  const { schema, group, version } = kind;
  const body: OpenApiSchema = schema.source === undefined ? components.value(schema) : { ...schema.source };
  const description = schema.description ?? kind.description;
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    ...body,
    properties: {
      ...(body.properties as object | undefined),
      ...TYPE_META,
      metadata: { allOf: [components.struct('meta.v1/ObjectMeta')], description: 'Metadata that all objects have.' },
    },
    'x-kubernetes-group-version-kind': [{ group, version, kind: kind.kind }],
  };
}
