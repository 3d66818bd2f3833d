/** Requests for objects: from verb and body to the resource, and back to an answer. */
import type { Kind, Verb } from '../kinds/kind.js';
import { methodNotAllowed, unknownResource } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { DeleteResult, Resource, WriteContext } from '../rest/resource.js';
import type { EncodedEvents } from './encoded-events.js';
import type { Exchange } from './exchange.js';
import { listOptions, namespaceOf } from './list-query.js';
import { negotiateEncoding } from './negotiation.js';
import type { ServerParts } from './parts.js';
import { readDeleteOptions, readObject, readPatch } from './read-object.js';
import { respond } from './respond.js';
import { respondList, respondObject, viewOptions } from './respond-object.js';
import { bindByName } from './subresources/binding.js';
import type { Subresources } from './subresources/subresource.js';
import type { WatchServerOptions } from './watch-handler.js';
import { serveWatch } from './watch-handler.js';
import { deleteRequest, writeContext } from './write-query.js';

export class ResourceHandler {
  readonly #parts: ServerParts;
  readonly #subresources: Subresources;
  readonly #encoded: EncodedEvents;
  readonly #watching: WatchServerOptions;

  constructor(parts: ServerParts, subresources: Subresources, encoded: EncodedEvents, watching: WatchServerOptions) {
    this.#parts = parts;
    this.#subresources = subresources;
    this.#encoded = encoded;
    this.#watching = watching;
  }

  /** The request is authorised. Resolves when it is answered. @throws ApiError */
  async handle(exchange: Exchange): Promise<void> {
    const { info } = exchange;
    const kind = this.#parts.kinds.find(info.group, info.version, info.resource);
    if (kind === undefined) throw unknownResource();
    checkScope(exchange, kind);
    if (info.subresource !== '') return await this.#subresource(exchange, kind);
    const resource = this.#parts.resources.of(kind);
    if (info.name === '' && ONE_OBJECT.has(info.verb)) throw methodNotAllowed();
    if (kind.verbs !== undefined && !kind.verbs.includes(info.verb as Verb)) throw methodNotAllowed();
    switch (info.verb) {
      case 'get':
        return await this.#get(exchange, resource);
      case 'list':
        return await this.#list(exchange, resource);
      case 'watch':
        return await serveWatch(exchange, resource, this.#encoded, this.#watching);
      case 'create':
        return await this.#create(exchange, resource);
      case 'update':
        return await this.#update(exchange, resource);
      case 'patch':
        return await this.#patch(exchange, resource);
      case 'delete':
        return await this.#delete(exchange, resource);
      case 'deletecollection':
        return await this.#deleteCollection(exchange, resource);
      default:
        throw methodNotAllowed();
    }
  }

  async #subresource(exchange: Exchange, kind: Kind): Promise<void> {
    const { info } = exchange;
    const declared = kind.subresources?.find((one) => one.name === info.subresource);
    if (declared === undefined || info.name === '') throw unknownResource();
    const handler = this.#subresources.find(kind, info.subresource);
    if (handler !== undefined) return await handler(exchange, kind);
    if (!declared.verbs.includes(info.verb as Verb)) throw methodNotAllowed();
    // What is left shows the object, or replaces a part of it.
    const resource = this.#parts.resources.of(kind);
    switch (info.verb) {
      case 'get':
        return await this.#get(exchange, resource);
      case 'update':
        return await this.#update(exchange, resource);
      case 'patch':
        return await this.#patch(exchange, resource);
      default:
        throw methodNotAllowed();
    }
  }

  async #get(exchange: Exchange, resource: Resource): Promise<void> {
    const { info } = exchange;
    const view = viewOptions(exchange, this.#parts.now());
    const version = info.query.get('resourceVersion') ?? '';
    const namespace = namespaceOf(info, resource.kind);
    const object = await resource.get(namespace, info.name, version === '' ? undefined : version);
    respondObject(exchange, 200, resource.kind, object, view);
  }

  async #list(exchange: Exchange, resource: Resource): Promise<void> {
    const view = viewOptions(exchange, this.#parts.now());
    const list = await resource.list(listOptions(exchange.info, resource.kind));
    await respondList(exchange, resource.kind, list, view);
  }

  async #create(exchange: Exchange, resource: Resource): Promise<void> {
    const { info } = exchange;
    const { kind } = resource;
    if (info.name !== '') throw methodNotAllowed();
    const view = viewOptions(exchange, this.#parts.now());
    const context = writeContext(exchange, 'CreateOptions');
    const virtual = this.#parts.virtual.get(`${kind.group}/${kind.plural}`);
    if (kind.namespaced && info.namespace === '') throw methodNotAllowed();
    const object = await readObject(exchange, kind, context);
    if (kind.group === '' && kind.plural === 'bindings') return await bindByName(this.#parts, exchange, object);
    const namespace = namespaceOf(info, kind);
    if (virtual !== undefined) {
      const answer = await virtual(object, { user: exchange.user, namespace, name: '' });
      return respondObject(exchange, 201, kind, answer, view);
    }
    const result = await resource.create(context, namespace, object);
    respondObject(exchange, 201, kind, result.object, view);
  }

  async #update(exchange: Exchange, resource: Resource): Promise<void> {
    const { info } = exchange;
    const view = viewOptions(exchange, this.#parts.now());
    const context = writeContext(exchange, 'UpdateOptions');
    const object = await readObject(exchange, resource.kind, context);
    const namespace = namespaceOf(info, resource.kind);
    const result = await resource.update(context, namespace, info.name, object, info.subresource);
    respondObject(exchange, result.created ? 201 : 200, resource.kind, result.object, view);
  }

  async #patch(exchange: Exchange, resource: Resource): Promise<void> {
    const { info } = exchange;
    const view = viewOptions(exchange, this.#parts.now());
    const context = writeContext(exchange, 'PatchOptions');
    const patch = await readPatch(exchange, resource.kind, context);
    const namespace = namespaceOf(info, resource.kind);
    const result = await resource.patch(context, namespace, info.name, patch, info.subresource);
    respondObject(exchange, result.created ? 201 : 200, resource.kind, result.object, view);
  }

  async #delete(exchange: Exchange, resource: Resource): Promise<void> {
    const { info } = exchange;
    const { kind } = resource;
    const form = negotiateEncoding(exchange.accept);
    const { options, context } = await this.#deletion(exchange);
    const result = await resource.delete(context, namespaceOf(info, kind), info.name, options);
    if (!result.done || kind.deleteReturnsObject === true) return respond(exchange, 200, result.object, form);
    respond(exchange, 200, deletedStatus(kind, info.name, result), form);
  }

  async #deleteCollection(exchange: Exchange, resource: Resource): Promise<void> {
    const { kind } = resource;
    const view = viewOptions(exchange, this.#parts.now());
    const { options, context } = await this.#deletion(exchange);
    const list = await resource.deleteCollection(context, options, listOptions(exchange.info, kind));
    await respondList(exchange, kind, list, view);
  }

  async #deletion(
    exchange: Exchange,
  ): Promise<{ context: WriteContext; options: ReturnType<typeof deleteRequest>['options'] }> {
    const request = deleteRequest(await readDeleteOptions(exchange), exchange.info.query);
    return { context: writeContext(exchange, 'DeleteOptions', request.dryRun), options: request.options };
  }
}

const ONE_OBJECT = new Set(['get', 'update', 'patch', 'delete']);

/** A path with a namespace is for kinds that live in one, and the other way round. */
function checkScope({ info }: Exchange, kind: Kind): void {
  if (kind.namespaced) {
    const all = info.name === '' || info.verb === 'list' || info.verb === 'watch';
    if (info.namespace === '' && !all) throw unknownResource();
    if (info.namespace === '' && info.verb === 'deletecollection') throw methodNotAllowed();
    return;
  }
  // The path of a Namespace names it in both places.
  const own = kind.group === '' && kind.plural === 'namespaces' && info.namespace === info.name;
  if (info.namespace !== '' && !own) throw unknownResource();
}

function deletedStatus(kind: Kind, name: string, { object }: DeleteResult): unknown {
  const { uid } = (object as KubeObject).metadata;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name,
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.plural,
      ...(uid === undefined ? {} : { uid }),
    },
  };
}
