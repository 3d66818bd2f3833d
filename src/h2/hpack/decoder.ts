import { DynamicTable } from './dynamic-table.js';
import { Field } from './field.js';
import { decodedBytesMax, huffmanDecode } from './huffman.js';
import { cursor, readInteger } from './integer.js';
import { STATIC_COUNT, STATIC_TABLE } from './static-table.js';

/** Decoded strings on their way to a string; grows to the largest that was asked for. */
let scratch = Buffer.allocUnsafeSlow(4096);

/** Reads the header blocks of one connection (RFC 7541 section 3). Every block must pass through it, in order. */
export class HpackDecoder {
  readonly #table: DynamicTable;
  /** What our SETTINGS_HEADER_TABLE_SIZE allows, bytes. */
  readonly #tableSizeMax: number;

  constructor(tableSizeMax: number) {
    this.#tableSizeMax = tableSizeMax;
    this.#table = new DynamicTable(tableSizeMax);
  }

  /** A block of the same bytes means the same while this stays as it is, if decoding it did not move it. */
  get generation(): number {
    return this.#table.generation;
  }

  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * Decodes buf[start, end) and appends its fields to `fields`, as long as they come to no more than `listBytesMax`;
   * what is beyond is read, for the table's sake, and dropped.
   * @returns bytes of the whole list, as SETTINGS_MAX_HEADER_LIST_SIZE counts them; -1: not a header block, and the
   * connection's table is lost (COMPRESSION_ERROR)
   */
  decode(buf: Buffer, start: number, end: number, fields: Field[], listBytesMax: number): number {
    let bytes = 0;
    let fieldSeen = false;
    cursor.pos = start;
    while (cursor.pos < end) {
      const first = buf[cursor.pos]!;
      if ((first & 0xe0) === 0x20) {
        const size = readInteger(buf, end, 0x1f);
        if (fieldSeen || size < 0 || size > this.#tableSizeMax) return -1;
        this.#table.resize(size);
        continue;
      }
      fieldSeen = true;
      const field = first >= 0x80 ? this.#at(readInteger(buf, end, 0x7f)) : this.#literal(buf, end, first);
      if (field === null) return -1;
      bytes += field.size;
      if (bytes <= listBytesMax) fields.push(field);
    }
    return bytes;
  }

  #at(index: number): Field | null {
    if (index <= 0) return null;
    if (index <= STATIC_COUNT) return STATIC_TABLE[index - 1]!;
    return this.#table.at(index - STATIC_COUNT - 1) ?? null;
  }

  /** With indexing (01), without (0000) or never to be indexed (0001): section 6.2. */
  #literal(buf: Buffer, end: number, first: number): Field | null {
    const indexing = first >= 0x40;
    const nameIndex = readInteger(buf, end, indexing ? 0x3f : 0x0f);
    if (nameIndex < 0) return null;
    const name = nameIndex === 0 ? readString(buf, end) : (this.#at(nameIndex)?.name ?? null);
    if (name === null) return null;
    const value = readString(buf, end);
    if (value === null) return null;
    const field = new Field(name, value);
    if (indexing) this.#table.insert(field);
    return field;
  }
}

/** A string literal (section 5.2) at cursor.pos. @returns null: it is none */
function readString(buf: Buffer, end: number): string | null {
  if (cursor.pos >= end) return null;
  const coded = buf[cursor.pos]! >= 0x80;
  const length = readInteger(buf, end, 0x7f);
  if (length < 0) return null;
  const start = cursor.pos;
  const stop = start + length;
  if (stop > end) return null;
  cursor.pos = stop;
  if (!coded) return buf.latin1Slice(start, stop);
  const most = decodedBytesMax(length);
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most * 2);
  const decoded = huffmanDecode(buf, start, stop, scratch);
  return decoded < 0 ? null : scratch.latin1Slice(0, decoded);
}
