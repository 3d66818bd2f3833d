import type { PeerHub, SnapshotSink } from '../peer/index.js';
import type { Raft, Ready } from '../raft/index.js';
import { Message, MessageKind } from '../raft/index.js';
import type { StoredBackend } from '../storage/backend/index.js';
import type { SnapshotHeader } from '../storage/snapshot/index.js';
import { exportSnapshot, SnapshotImport } from '../storage/snapshot/index.js';
import type { Env } from '../util/env.js';
import { failpoint } from '../util/failpoint.js';
import { hex } from '../util/hex.js';
import type { Logger } from '../util/log.js';
import { parseConfState } from './conf-changes.js';

const applyBeforeOpenSnapshot = failpoint('applyBeforeOpenSnapshot');

type Done = (err: Error | null) => void;

/** Before the exporter's own chunks: the leader's term, u64 big endian. */
const TERM_BYTES = 8;

/** A snapshot whose rows are all here, and the raft message that goes with it. */
interface Arrived {
  readonly header: SnapshotHeader;
  readonly rows: SnapshotImport;
}

/**
 * Snapshots between members. The sender streams the backend's rows at its flushed index; the receiver writes them
 * into a store beside its own, and only when all are there and verified tells raft. Raft decides whether it wants
 * them; then the store is swapped. Until the swap the old state is served.
 */
export class SnapshotTransfer {
  readonly #env: Env;
  readonly #log: Logger;
  readonly #backend: StoredBackend;
  readonly #raft: Raft;
  readonly #hub: PeerHub;
  readonly #wake: () => void;
  /** Museum row 18. */
  readonly #acceptsSecond: boolean;
  #receiving = false;
  #arrived: Arrived | null = null;
  #installing = false;
  #readers: (() => void)[] = [];

  constructor(parts: {
    env: Env;
    backend: StoredBackend;
    raft: Raft;
    hub: PeerHub;
    wake: () => void;
    acceptsSecond?: boolean;
  }) {
    this.#env = parts.env;
    this.#log = parts.env.log.with({ caller: 'server/snapshot-transfer.ts' });
    this.#backend = parts.backend;
    this.#raft = parts.raft;
    this.#hub = parts.hub;
    this.#wake = parts.wake;
    this.#acceptsSecond = parts.acceptsSecond ?? false;
  }

  // --- the sender ---

  /** Sends what belongs to this MsgSnap; raft hears how it ended. */
  send(message: Message): void {
    const { to, term } = message;
    const report = (err: Error | null): void => {
      if (err === null) this.#log.info('sent database snapshot', { to: hex(to) });
      else this.#log.warn('failed to send database snapshot', { to: hex(to), error: err.message });
      this.#raft.reportSnapshot(to, err === null);
      this.#wake();
    };
    this.#backend.flush((flushError) => {
      if (flushError !== null) return report(flushError);
      this.#backend.pin((err, pin) => {
        if (err !== null || pin === null) return report(err);
        const rows = exportSnapshot(pin, this.#env.timers);
        let first = true;
        this.#hub.sendSnapshot(
          to,
          {
            next: (cb) => {
              if (!first) return rows.next(cb);
              first = false;
              const head = Buffer.alloc(TERM_BYTES);
              head.writeBigUInt64BE(BigInt(term));
              this.#env.timers.defer(() => cb(null, head));
            },
            close: () => {
              rows.close();
            },
          },
          report,
        );
      });
    });
  }

  // --- the receiver ---

  /** One at a time: a second one while the first is arriving or being installed is refused (museum 18). */
  readonly receive = (from: bigint): SnapshotSink | null => {
    const busy = this.#installing || this.#arrived !== null;
    if (this.#receiving || (busy && !this.#acceptsSecond)) return null;
    this.#receiving = true;
    this.#log.info('receiving database snapshot', { from: hex(from) });
    const rows = new SnapshotImport(this.#env, this.#backend);
    let term = -1;
    return {
      write: (chunk, cb) => {
        if (term >= 0) return rows.write(chunk, cb);
        if (chunk.length !== TERM_BYTES) return cb(new Error('snapshot: no term in front'));
        term = Number(chunk.readBigUInt64BE());
        cb(null);
      },
      end: (cb) => {
        rows.end((err, header) => {
          this.#receiving = false;
          if (err !== null || header === null) return cb(err ?? new Error('snapshot: incomplete'));
          this.#offer({ header, rows }, from, term);
          cb(null);
        });
      },
      abort: () => {
        this.#receiving = false;
        rows.abort();
      },
    };
  };

  #offer(arrived: Arrived, from: bigint, term: number): void {
    this.#arrived = arrived;
    const { index, term: snapshotTerm, confState } = arrived.header;
    const message = new Message(MessageKind.Snap, this.#raft.id, from, term);
    message.snapshot = { index, term: snapshotTerm, confState: parseConfState(confState) };
    this.#raft.step(message);
    this.#wake();
  }

  /** Raft has had its say: a snapshot that it did not want is of no use. */
  turnOver(): void {
    const arrived = this.#arrived;
    if (arrived === null || this.#installing) return;
    this.#arrived = null;
    this.#log.info('ignored a database snapshot that raft has no use for', { 'snapshot-index': arrived.header.index });
    arrived.rows.abort();
  }

  /** Swaps in the snapshot that this Ready is about. */
  install(ready: Ready, cb: Done): void {
    const arrived = this.#arrived;
    if (arrived === null || arrived.header.index !== ready.snapshot?.index) {
      return cb(new Error(`no rows for the snapshot at index ${ready.snapshot?.index}`));
    }
    this.#installing = true;
    if (applyBeforeOpenSnapshot.on) applyBeforeOpenSnapshot.hit();
    arrived.rows.install(cb);
  }

  /** The tables have been read anew from the swapped store. */
  installed(): void {
    this.#installing = false;
    this.#arrived = null;
    const readers = this.#readers;
    this.#readers = [];
    for (const read of readers) read();
  }

  /** Runs a read of the local state now, or once an install under way is over. */
  whenReadable(read: () => void): void {
    if (this.#installing) this.#readers.push(read);
    else read();
  }
}
