import { assert } from '../../util/assert.js';
import type { Timers } from '../../util/env.js';
import type { BackendPin } from '../backend/index.js';
import { BboltError } from './errors.js';
import { metaPage, NO_FREELIST, PAGE_BYTES } from './format.js';
import type { PageSink } from './tree-writer.js';
import { pageBytes } from './tree-writer.js';
import type { RowEdit } from './walk.js';
import { Walk } from './walk.js';

type PagesCallback = (err: BboltError | null, pages: Buffer[] | null) => void;

/** The metas are pages 0 and 1. */
const FIRST_PAGE = 2;
/** bbolt begins a file with transactions 0 and 1; the higher one counts, on the page of its parity. */
const TXID = 1n;

/**
 * A pinned backend as a bbolt file in etcd's schema, pulled in slices. The rows are read twice: `measure` finds where
 * each page will be, since the first page names the root and the file's length, `next` then gives the pages in order.
 * Nothing is kept but one page a level of the tree under way, and nothing touches a disk.
 *
 *   measure ── next ... next (null: the end)        close at any time; the end closes as well
 */
export class BboltExport {
  readonly #pin: BackendPin;
  readonly #edits: readonly RowEdit[];
  readonly #timers: Timers;
  #walk: Walk;
  #pages = FIRST_PAGE;
  #out: Buffer[] = [];
  #root = 0;
  #size = 0;
  #isOver = false;
  #busy = false;
  #closed = false;

  /**
   * @param pin closed with this
   * @param edits rows that the file is to have otherwise than the store
   */
  constructor(pin: BackendPin, timers: Timers, edits: readonly RowEdit[] = []) {
    this.#pin = pin;
    this.#edits = edits;
    this.#timers = timers;
    this.#walk = new Walk(pin, edits, this.#sink(null));
  }

  /** Length of the file in bytes; 0 before it was measured. */
  get size(): number {
    return this.#size;
  }

  measure(cb: (err: BboltError | null) => void): void {
    assert(this.#size === 0 && !this.#busy, 'bbolt: measured twice');
    this.#busy = true;
    const step = (): void => {
      this.#walk.step((err, isOver) => {
        if (err === null && !isOver) return this.#timers.defer(step);
        this.#busy = false;
        if (err !== null) {
          this.close();
          return cb(err);
        }
        this.#root = this.#walk.root;
        this.#size = this.#pages * PAGE_BYTES;
        this.#begin();
        cb(null);
      });
    };
    this.#timers.defer(step);
  }

  /** The next pages, in the file's order; null at the end. One call at a time, after measure. */
  next(cb: PagesCallback): void {
    assert(this.#size > 0 && !this.#busy, 'bbolt: one call of next at a time');
    this.#busy = true;
    this.#timers.defer(() => this.#more(cb));
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#walk.close();
    this.#pin.close();
  }

  #begin(): void {
    const meta = { pageBytes: PAGE_BYTES, root: this.#root, freelist: NO_FREELIST, highWater: this.#pages };
    this.#out = [metaPage(0, { ...meta, txid: TXID - 1n }), metaPage(1, { ...meta, txid: TXID })];
    this.#pages = FIRST_PAGE;
    this.#walk = new Walk(
      this.#pin,
      this.#edits,
      this.#sink((page) => this.#out.push(page)),
    );
  }

  #more(cb: PagesCallback): void {
    if (this.#closed) return this.#answer(cb, new BboltError('ERR_CLOSED', 'snapshot: closed'), null);
    if (this.#out.length > 0 || this.#isOver) {
      const pages = this.#out;
      this.#out = [];
      return this.#answer(cb, null, pages.length > 0 ? pages : null);
    }
    this.#walk.step((err, isOver) => {
      if (err !== null) return this.#answer(cb, err, null);
      if (isOver) {
        // The same pin, walked twice: anything else is a store that does not give what it gave.
        const same = this.#walk.root === this.#root && this.#pages * PAGE_BYTES === this.#size;
        if (!same) return this.#answer(cb, new BboltError('ERR_IO', 'snapshot: the rows have changed'), null);
        this.#isOver = true;
      }
      this.#more(cb);
    });
  }

  #answer(cb: PagesCallback, err: BboltError | null, pages: Buffer[] | null): void {
    this.#busy = false;
    if (pages === null) this.close();
    cb(err, pages);
  }

  #sink(write: PageSink['write']): PageSink {
    return {
      take: (bytes) => {
        const id = this.#pages;
        this.#pages += pageBytes(bytes) / PAGE_BYTES;
        return id;
      },
      write,
    };
  }
}
