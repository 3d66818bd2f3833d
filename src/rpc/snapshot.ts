import type { MemberApi, ServerError, SnapshotFile } from '../server/index.js';
import { Sha256 } from '../util/sha.js';
import { SnapshotRequest, SnapshotResponse, WireError } from '../wire/index.js';
import type { StreamCall, StreamHandlers } from './call.js';
import { Code, OK, statusOf, undecodableInStream } from './errors.js';

/** Bytes of the file in one message, as etcd has it. */
const BLOB_BYTES = 32 << 10;

/**
 * Maintenance.Snapshot (etcd semantics §7): the file in blobs, each with what is still to come, then its sha256 alone. No
 * response has a header. Pages are asked for only when those before them have been taken by the transport.
 */
export class SnapshotCall implements StreamHandlers {
  readonly #member: MemberApi;
  readonly #call: StreamCall;
  readonly #hash = new Sha256();
  #file: SnapshotFile | null = null;
  /** Pages that have not been sent, and where the first of them goes on. */
  #pages: Buffer[] = [];
  #offset = 0;
  #pending = 0;
  /** Bytes of the file that are to be sent. */
  #remaining = 0;
  #asked = false;
  #full = false;
  #closed = false;

  constructor(member: MemberApi, call: StreamCall) {
    this.#member = member;
    this.#call = call;
  }

  onMessage(message: Buffer): void {
    try {
      SnapshotRequest.decode(message);
    } catch (err) {
      if (!(err instanceof WireError)) throw err;
      this.#call.end(undecodableInStream(err.message));
      return;
    }
    this.#member.guard.asRoot(this.#call, this, () => this.#member.snapshot(this));
  }

  /** Of Completion. */
  ok(file: SnapshotFile): void {
    if (this.#closed) return file.close();
    this.#file = file;
    this.#remaining = file.size;
    this.#more();
  }

  /** Of Completion. */
  fail(err: ServerError): void {
    this.#call.end(statusOf(err));
  }

  onHalfClose(): void {}

  onDrain(): void {
    this.#full = false;
    this.#more();
  }

  onClose(): void {
    this.#closed = true;
    this.#pages = [];
    this.#file?.close();
  }

  #more(): void {
    const file = this.#file;
    if (file === null) return;
    // The last blob of the file is shorter than the others.
    while (
      !this.#full &&
      !this.#closed &&
      this.#remaining > 0 &&
      this.#pending >= Math.min(BLOB_BYTES, this.#remaining)
    ) {
      const blob = this.#take(Math.min(BLOB_BYTES, this.#remaining));
      this.#remaining -= blob.length;
      this.#hash.update(blob);
      this.#send(file, blob);
    }
    if (this.#full || this.#closed || this.#asked) return;
    if (this.#remaining === 0) {
      this.#send(file, this.#hash.digest());
      this.#call.end(OK);
      return;
    }
    this.#asked = true;
    file.next((err, pages) => {
      this.#asked = false;
      if (this.#closed) return;
      if (err !== null || pages === null) {
        this.#call.end({ code: Code.INTERNAL, message: err?.message ?? 'snapshot: it ended too soon' });
        return;
      }
      for (const page of pages) {
        this.#pages.push(page);
        this.#pending += page.length;
      }
      this.#more();
    });
  }

  #take(bytes: number): Buffer {
    const parts: Buffer[] = [];
    for (let wanted = bytes; wanted > 0; ) {
      const page = this.#pages[0]!;
      const part = page.subarray(this.#offset, this.#offset + wanted);
      parts.push(part);
      wanted -= part.length;
      this.#offset += part.length;
      if (this.#offset < page.length) break;
      this.#pages.shift();
      this.#offset = 0;
    }
    this.#pending -= bytes;
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes);
  }

  #send(file: SnapshotFile, blob: Buffer): void {
    const { version } = file;
    this.#full = !this.#call.send(SnapshotResponse.encode({ remainingBytes: this.#remaining, blob, version }));
  }
}
