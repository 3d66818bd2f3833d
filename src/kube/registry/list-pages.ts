import type { KeelClient, KeyValue, RangeResult } from '../../client/index.js';
import { expired } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import { decodeContinue, encodeContinue } from './continue-token.js';
import { Folder } from './folder.js';
import type { ObjectReader } from './object-reader.js';
import type { ListOptions, ObjectFilter, ObjectList } from './object-store.js';
import { after } from './range-reader.js';
import type { ReadPoint } from './read-point.js';
import { isCompacted, storeError } from './store-error.js';

/** Pages of a read without limit, so that no answer is larger than a member likes to send. */
const PAGE = 2000;
/** With a filter pages double up to this. */
const PAGE_MAX = 10_000;
/** How often a list of everything starts over when history is dropped under it. */
const RESTARTS_MAX = 3;

const TOKEN_TOO_OLD =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list.';

interface Found {
  readonly items: KubeObject[];
  readonly revision: number;
  /** Last key that was looked at, if there are more behind it. */
  readonly lastKey: string | null;
  /** Keys in the range that were not looked at. */
  readonly remaining: number;
}

/** Lists of one folder from the store, page by page. */
export class ListPages {
  readonly #client: KeelClient;
  readonly #reader: ObjectReader;

  constructor(client: KeelClient, reader: ObjectReader) {
    this.#client = client;
    this.#reader = reader;
  }

  /** @param scope what all keys begin with */
  async list(
    scope: string,
    options: ListOptions,
    filter: ObjectFilter | undefined,
    point: ReadPoint,
  ): Promise<ObjectList> {
    const limit = options.limit ?? 0;
    if (options.continue) return this.#next(scope, options.continue, limit, filter);
    const exact = point.from === 'exactly' ? point.revision : 0;
    const notBefore = point.from === 'at-least' ? point.revision : exact;
    for (let restarts = 0; ; restarts++) {
      try {
        const found = await this.#read(scope, scope, { revision: exact, notBefore, limit, filter });
        return this.#answer(scope, found, filter);
      } catch (err) {
        if (exact !== 0 || !isCompacted(err) || restarts >= RESTARTS_MAX) throw storeError(err);
      }
    }
  }

  async #next(scope: string, text: string, limit: number, filter: ObjectFilter | undefined): Promise<ObjectList> {
    const token = decodeContinue(text);
    const revision = Math.max(token.revision, 0);
    try {
      const found = await this.#read(scope, scope + token.start, { revision, notBefore: revision, limit, filter });
      return this.#answer(scope, found, filter);
    } catch (err) {
      if (isCompacted(err)) throw expired(TOKEN_TOO_OLD, encodeContinue({ revision: -1, start: token.start }));
      throw storeError(err);
    }
  }

  #answer(scope: string, found: Found, filter: ObjectFilter | undefined): ObjectList {
    const resourceVersion = String(found.revision);
    if (found.lastKey === null) return { items: found.items, resourceVersion };
    const start = `${found.lastKey.slice(scope.length)}\0`;
    return {
      items: found.items,
      resourceVersion,
      continue: encodeContinue({ revision: found.revision, start }),
      // With a filter nobody knows how many of the rest would match.
      ...(filter === undefined ? { remainingItemCount: found.remaining } : {}),
    };
  }

  async #read(
    scope: string,
    start: string,
    how: { revision: number; notBefore: number; limit: number; filter: ObjectFilter | undefined },
  ): Promise<Found> {
    const rangeEnd = Folder.end(scope);
    const { limit, filter } = how;
    const items: KubeObject[] = [];
    let revision = how.revision;
    let page = limit === 0 ? PAGE : limit;
    for (let from: string | Buffer = start; ; page = Math.min(PAGE_MAX, page * 2)) {
      const read = (): Promise<RangeResult> => this.#client.get(from, { rangeEnd, limit: page, revision });
      const answer = await this.#reader.reached(how.notBefore, read);
      // All pages are of one revision, that of the first.
      if (revision === 0) revision = answer.header.revision;
      const { kvs, more, count } = answer;
      const used = this.#take(kvs, items, limit, filter);
      const full = limit > 0 && items.length >= limit;
      const behind = used < kvs.length || more;
      if (full || !behind) {
        const lastKey = behind ? kvs[used - 1]!.key.toString('utf8') : null;
        return { items, revision, lastKey, remaining: count - used };
      }
      from = after(kvs[kvs.length - 1]!.key);
    }
  }

  /** @returns how many rows were looked at */
  #take(kvs: KeyValue[], items: KubeObject[], limit: number, filter: ObjectFilter | undefined): number {
    let used = 0;
    for (const kv of kvs) {
      if (limit > 0 && items.length >= limit) break;
      used++;
      const object = this.#reader.decode(kv);
      if (filter === undefined || filter(object)) items.push(object);
    }
    return used;
  }
}
