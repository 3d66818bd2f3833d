import { DynamicTable } from './dynamic-table.js';
import { Field } from './field.js';
import { huffmanEncode, huffmanLength } from './huffman.js';
import { writeInteger } from './integer.js';
import { STATIC_COUNT, staticIndex, staticNameIndex } from './static-table.js';

/** How a field that no table holds is written (RFC 7541 section 6.2). */
export const Indexing = {
  /** Into the table: it will come again. */
  ADD: 0x40,
  NONE: 0x00,
  /** And no one on the way may put it into one. */
  NEVER: 0x10,
} as const;
export type Indexing = (typeof Indexing)[keyof typeof Indexing];

/** What a peer's table may hold until it says otherwise. */
const TABLE_BYTES_DEFAULT = 4096;

/** Writes the header blocks of one connection. What it wrote must be sent, in order. */
export class HpackEncoder {
  readonly #table = new DynamicTable(TABLE_BYTES_DEFAULT);
  #out = Buffer.allocUnsafe(256);
  #pos = 0;
  /** The smallest limit since the last block; -1: none is to be told. */
  #lowestLimit = -1;
  #limit = TABLE_BYTES_DEFAULT;

  /** Bytes of a block that added nothing stay right while this stays as it is. */
  get generation(): number {
    return this.#table.generation;
  }

  /**
   * The peer's SETTINGS_HEADER_TABLE_SIZE. A smaller table is told at the head of the next block (section 4.2); more
   * than the default is not made use of.
   */
  setTableSizeMax(bytes: number): void {
    const limit = Math.min(bytes, TABLE_BYTES_DEFAULT);
    if (limit === this.#limit && this.#lowestLimit < 0) return;
    this.#lowestLimit = this.#lowestLimit < 0 ? limit : Math.min(this.#lowestLimit, limit);
    this.#limit = limit;
    // Whoever keeps a block must not send it before the new size is told.
    this.#table.generation++;
  }

  begin(): void {
    this.#pos = 0;
    if (this.#lowestLimit < 0) return;
    if (this.#lowestLimit < this.#limit) this.#tellSize(this.#lowestLimit);
    this.#tellSize(this.#limit);
    this.#lowestLimit = -1;
  }

  add(name: string, value: string, indexing: Indexing): void {
    const fixed = indexing === Indexing.NEVER ? 0 : staticIndex(name, value);
    const dynamic = fixed > 0 || indexing === Indexing.NEVER ? -1 : this.#table.find(name, value);
    const index = dynamic >= 0 ? dynamic + STATIC_COUNT + 1 : fixed;
    this.#ensure(name.length + value.length + 24);
    if (index > 0) {
      this.#pos = writeInteger(this.#out, this.#pos, index, 0x7f, 0x80);
      return;
    }
    const nameIndex = staticNameIndex(name);
    this.#pos = writeInteger(this.#out, this.#pos, nameIndex, indexing === Indexing.ADD ? 0x3f : 0x0f, indexing);
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
    if (indexing === Indexing.ADD) this.#table.insert(new Field(name, value));
  }

  /** The block since `begin`, in memory of its own. */
  finish(): Buffer {
    return Buffer.from(this.#out.subarray(0, this.#pos));
  }

  #tellSize(bytes: number): void {
    this.#ensure(8);
    this.#pos = writeInteger(this.#out, this.#pos, bytes, 0x1f, 0x20);
    this.#table.resize(bytes);
  }

  /** Coded where that is shorter. */
  #string(text: string): void {
    const coded = huffmanLength(text);
    if (coded < text.length) {
      this.#pos = writeInteger(this.#out, this.#pos, coded, 0x7f, 0x80);
      this.#pos = huffmanEncode(text, this.#out, this.#pos);
    } else {
      this.#pos = writeInteger(this.#out, this.#pos, text.length, 0x7f, 0x00);
      this.#pos += this.#out.latin1Write(text, this.#pos);
    }
  }

  #ensure(bytes: number): void {
    if (this.#pos + bytes <= this.#out.length) return;
    const larger = Buffer.allocUnsafe((this.#pos + bytes) * 2);
    this.#out.copy(larger, 0, 0, this.#pos);
    this.#out = larger;
  }
}
