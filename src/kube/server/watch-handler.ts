/** Watches on the wire: one JSON document a line, as events come. Sources: kubernetes watch semantics. */
import type { Kind } from '../kinds/kind.js';
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import { apiVersionOf } from '../machinery/object.js';
import type { StoreEvent, StoreWatch } from '../registry/object-store.js';
import type { Resource } from '../rest/resource.js';
import type { EncodedEvents } from './encoded-events.js';
import type { Exchange } from './exchange.js';
import { watchOptions } from './list-query.js';
import { viewOptions } from './respond-object.js';
import type { ViewOptions } from './views.js';
import { META_VERSION, objectView } from './views.js';

/** A watch that names no end gets one between 30 and 60 minutes, so that clients spread over servers anew. */
const LASTS_MS = 30 * 60_000;
/** A client that takes nothing for so long is given up. */
const STALLED_MS = 60_000;

export interface WatchServerOptions {
  readonly now: () => number;
  /** Resolves when the server ends: its watches then end cleanly. */
  readonly onStop: (end: () => void) => () => void;
}

/** Resolves when the watch has ended. @throws ApiError before the head is sent */
export async function serveWatch(
  exchange: Exchange,
  resource: Resource,
  encoded: EncodedEvents,
  server: WatchServerOptions,
): Promise<void> {
  const query = watchOptions(exchange.info, resource.kind);
  const view = viewOptions(exchange, server.now());
  exchange.longRunning = true;
  const stream = new WatchStream(exchange, resource.kind, view, encoded, server.now);
  let watch: StoreWatch;
  try {
    watch = await resource.watch(query.options, stream);
  } catch (err) {
    // Told as an event: that is what clients of a watch look at.
    if (!(err instanceof ApiError) || err.code !== 410) throw err;
    stream.end(err);
    return;
  }
  const lasts = query.timeoutMs ?? LASTS_MS * (1 + Math.random());
  const end = (): void => {
    // Whoever wants to know how far this was goes on from there, however quiet it has been.
    watch.bookmark();
    stream.end(null);
  };
  const timer = setTimeout(end, Math.min(lasts, 2 ** 31 - 1));
  const forget = server.onStop(end);
  try {
    await stream.run(watch);
  } finally {
    clearTimeout(timer);
    forget();
    watch.stop();
  }
}

class WatchStream {
  readonly #exchange: Exchange;
  readonly #kind: Kind;
  readonly #view: ViewOptions;
  readonly #encoded: EncodedEvents;
  readonly #now: () => number;
  /** Column definitions are still to be told. */
  #first = true;
  #ended = false;
  #done: () => void = () => {};
  readonly #closed = new Promise<void>((resolve) => {
    this.#done = resolve;
  });
  #watch: StoreWatch | null = null;
  #stalled: ReturnType<typeof setTimeout> | null = null;

  constructor(exchange: Exchange, kind: Kind, view: ViewOptions, encoded: EncodedEvents, now: () => number) {
    this.#exchange = exchange;
    this.#kind = kind;
    this.#view = view;
    this.#encoded = encoded;
    this.#now = now;
    // From the start: a client may have caught up before the watch is handed to us.
    exchange.response.on('drain', this.#onDrain);
  }

  /** Until its end, whoever brings it about: the store, the client, the clock or the server. */
  async run(watch: StoreWatch): Promise<void> {
    this.#watch = watch;
    const { response } = this.#exchange;
    this.#open();
    if (!response.writableNeedDrain) watch.resume();
    response.on('close', this.#done);
    if (response.destroyed) this.#done();
    await this.#closed;
    this.#ended = true;
    response.removeListener('drain', this.#onDrain);
    if (this.#stalled !== null) clearTimeout(this.#stalled);
  }

  event(event: StoreEvent): boolean {
    if (this.#ended) return true;
    this.#open();
    const more = this.#exchange.response.write(this.#line(event));
    if (!more) this.#stalled ??= setTimeout(() => this.#exchange.response.destroy(), STALLED_MS);
    return more;
  }

  end(error: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#open();
    const { response } = this.#exchange;
    if (error === null) response.end();
    else {
      const known = error instanceof ApiError ? error : new ApiError(500, 'InternalError', error.message);
      response.end(`${JSON.stringify({ type: 'ERROR', object: known.toStatus() })}\n`);
    }
    this.#done();
  }

  /** The head goes out at once: clients wait for it before they count a watch as established. */
  #open(): void {
    const { response } = this.#exchange;
    if (response.headersSent) return;
    this.#exchange.writeHead(200, { 'Content-Type': this.#view.form.contentType, 'X-Content-Type-Options': 'nosniff' });
    response.flushHeaders();
  }

  readonly #onDrain = (): void => {
    if (this.#stalled !== null) clearTimeout(this.#stalled);
    this.#stalled = null;
    this.#watch?.resume();
  };

  #line(event: StoreEvent): Buffer {
    if (event.type === 'BOOKMARK') return this.#bookmark(event);
    const { form, includeObject } = this.#view;
    const first = this.#first && form.view === 'table';
    this.#first = false;
    const now = this.#now();
    const key = form.view === 'object' ? 'o' : `${form.view}${includeObject}${first}`;
    return this.#encoded.line(event, key, now, () =>
      JSON.stringify(objectView(this.#kind, event.object, { ...this.#view, now }, first)),
    );
  }

  /** Carries nothing but a version; a Table's is an empty one. */
  #bookmark(event: StoreEvent): Buffer {
    const metadata = {
      resourceVersion: event.resourceVersion,
      creationTimestamp: null,
      ...(event.initialEventsEnd === true ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    const bare = {
      kind: this.#kind.kind,
      apiVersion: apiVersionOf(this.#kind),
      metadata: metadata as KubeObject['metadata'],
    };
    const partial = { ...bare, kind: 'PartialObjectMetadata', apiVersion: META_VERSION };
    const { form, includeObject } = this.#view;
    const { resourceVersion } = event;
    const object =
      form.view === 'object'
        ? bare
        : form.view === 'metadata'
          ? partial
          : {
              kind: 'Table',
              apiVersion: META_VERSION,
              metadata: { resourceVersion },
              columnDefinitions: [],
              rows: [{ cells: [], object: includeObject === 'Object' ? bare : partial }],
            };
    return Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }
}
