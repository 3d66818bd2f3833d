import { assert } from '../../util/assert.js';
import { crc32c } from '../../util/crc32c.js';
import type { HardState } from '../../wire/index.js';
import { HardState as HardStateCodec, WalRecordType } from '../../wire/index.js';
import {
  OVERHEAD_BYTES_MAX,
  paddingOf,
  putVarint,
  TAG_CRC,
  TAG_DATA,
  TAG_TYPE,
  topByteOf,
  varintBytes,
  WORD_BYTES,
} from './format.js';

/** Data at least this long goes to the file as it is; shorter is copied beside its header, which costs less. */
const SPLICE_BYTES = 8 << 10;

const NO_DATA = Buffer.alloc(0);

/**
 * Frames records, one batch at a time, and carries the running CRC from record to record and segment to segment.
 *
 *   begin(room) ; record()... ; finish() gives the chunks of one write
 */
export class WalEncoder {
  /** CRC-32C over the data of all records so far. */
  crc: number;
  #buf = NO_DATA;
  #pos = 0;
  /** #buf[#from, #pos) is not yet in #chunks. */
  #from = 0;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** term 10, vote 10, commit 10, and their tags */
  readonly #state = Buffer.alloc(33);
  #vote = 0n;
  #voteVarint: Buffer = Buffer.from([0]);

  constructor(crc: number) {
    this.crc = crc;
  }

  /** Room that a record with `dataBytes` of data takes in a batch's buffer, at most. */
  static room(dataBytes: number): number {
    return OVERHEAD_BYTES_MAX + (dataBytes < SPLICE_BYTES ? dataBytes : 0);
  }

  static readonly stateRoom = WalEncoder.room(33);

  /** @param room the sum over the records to come */
  begin(room: number): void {
    this.#buf = Buffer.allocUnsafe(room);
    this.#pos = 0;
    this.#from = 0;
    this.#chunks = [];
    this.#bytes = 0;
  }

  record(type: number, data: Buffer): void {
    const length = data.length;
    this.crc = crc32c(data, this.crc);
    const recordBytes = 3 + varintBytes(this.crc) + (length === 0 ? 0 : 1 + varintBytes(length) + length);
    const padding = paddingOf(recordBytes);
    const buf = this.#buf;
    let p = this.#pos;
    buf.writeUInt32LE(recordBytes, p);
    buf.writeUInt32LE(topByteOf(padding) * 0x100_0000, p + 4);
    p += WORD_BYTES;
    buf[p++] = TAG_TYPE;
    buf[p++] = type;
    buf[p++] = TAG_CRC;
    p = putVarint(buf, p, this.crc);
    if (length !== 0) {
      buf[p++] = TAG_DATA;
      p = putVarint(buf, p, length);
      if (length < SPLICE_BYTES) {
        data.copy(buf, p);
        p += length;
      } else {
        this.#chunks.push(buf.subarray(this.#from, p), data);
        this.#bytes += p - this.#from + length;
        this.#from = p;
      }
    }
    for (let i = 0; i < padding; i++) buf[p++] = 0;
    assert(p <= buf.length, 'wal: the batch outgrew its buffer');
    this.#pos = p;
  }

  hardState(hs: HardState): void {
    if (hs.vote !== this.#vote) {
      // 08 00 10 <vote> 18 00
      const bytes = HardStateCodec.encode({ term: 0, vote: hs.vote, commit: 0 });
      this.#vote = hs.vote;
      this.#voteVarint = Buffer.from(bytes.subarray(3, bytes.length - 2));
    }
    const buf = this.#state;
    buf[0] = 0x08;
    let p = putVarint(buf, 1, hs.term);
    buf[p++] = 0x10;
    p += this.#voteVarint.copy(buf, p);
    buf[p++] = 0x18;
    p = putVarint(buf, p, hs.commit);
    this.record(WalRecordType.STATE, buf.subarray(0, p));
  }

  /** The batch's bytes so far. */
  get bytes(): number {
    return this.#bytes + this.#pos - this.#from;
  }

  finish(): Buffer[] {
    const chunks = this.#chunks;
    if (this.#pos > this.#from) chunks.push(this.#buf.subarray(this.#from, this.#pos));
    this.#buf = NO_DATA;
    this.#chunks = [];
    return chunks;
  }
}
