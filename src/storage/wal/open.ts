import { join } from 'node:path';
import { crc32c } from '../../util/crc32c.js';
import type { Disk } from '../../util/env.js';
import type { Metadata } from '../../wire/index.js';
import { Metadata as MetadataCodec, WalRecordType } from '../../wire/index.js';
import { WalError } from './errors.js';
import type { SegmentName } from './format.js';
import { isTemporary, segmentsAmong } from './format.js';
import type { Mark } from './mark.js';
import { readMark } from './mark.js';
import { WalMutant } from './mutants.js';
import { Replay } from './replay.js';
import { SegmentReader } from './segment-reader.js';
import type { WalCut, WalPoint } from './types.js';

/** A log as it was found, its tail repaired, ready to be continued. */
export interface Found {
  readonly metadata: Metadata;
  readonly metadataBytes: Buffer;
  readonly replay: Replay;
  /** All segments in the folder, oldest first; those before the first one read may have holes. */
  readonly segments: SegmentName[];
  /** The newest mark, or null. */
  readonly mark: Mark | null;
  /** Where the next record goes in the last segment, and the running CRC there. */
  readonly offset: number;
  readonly crc: number;
  readonly cut: WalCut | null;
  readonly uncertain: boolean;
}

/**
 * Reads a log and judges its damage by the mark (DESIGN.md, "What open does"). Writes nothing but the repair of a torn
 * tail, which it does not sync.
 * @throws WalError
 */
export function readLog(disk: Disk, dir: string, from: WalPoint, mutants: ReadonlySet<string>, keep = 0): Found {
  const segments = segmentsAmong(disk.list(dir));
  const mark = mutants.has(WalMutant.ROT_AS_TORN) ? null : readMark(disk, dir);
  const start = earlier(segments, startAt(dir, segments, from, mark), from.index - keep);
  const first = segments[start]!;
  const last = segments[segments.length - 1]!;
  const log = new LogReader(disk, dir, from, first, mark, keep);
  for (let i = start; i < segments.length - 1; i++) {
    // The next one was named after this one had been synced to its end: nothing in here may be torn.
    const reader = log.read(segments[i]!);
    if (reader.reason !== '') throw rot(reader, reader.reason);
  }
  const tail = log.read(last);
  let cut = tail.reason === '' ? null : { file: tail.path, offset: tail.offset, reason: tail.reason };
  if (cut === null) {
    const at = tail.nonZeroBehind(tail.offset);
    if (at >= 0) cut = { file: tail.path, offset: tail.offset, reason: `the log ends, but byte ${at} is not zero` };
  }
  if (mark !== null && mark.sequence === last.sequence && mark.offset > tail.offset) {
    const why = cut === null ? 'the log ends' : cut.reason;
    throw rot(tail, `${why}, and it had been synced up to byte ${mark.offset}`);
  }
  if (cut !== null && mutants.has(WalMutant.TORN_AS_ROT)) throw rot(tail, cut.reason);
  return {
    metadata: log.metadata!,
    metadataBytes: log.metadataBytes!,
    replay: log.replay,
    segments,
    mark,
    offset: tail.offset,
    crc: log.crc,
    cut,
    uncertain: (mark?.uncertain ?? false) || (cut !== null && mark === null && !mutants.has(WalMutant.ROT_AS_TORN)),
  };
}

/** The segment to begin with: the last that was begun at or before `from`. From there on none may be missing. */
function startAt(dir: string, segments: SegmentName[], from: WalPoint, mark: Mark | null): number {
  const last = segments[segments.length - 1];
  if (last === undefined) throw new WalError('ERR_WAL_MISSING', 'there is no log', dir);
  if (mark !== null && mark.sequence > last.sequence) {
    const lost = `segment ${mark.sequence} is gone, and it had been synced up to byte ${mark.offset}`;
    throw new WalError('ERR_WAL_ROT', lost, dir);
  }
  const start = segments.findLastIndex((s) => s.index <= from.index);
  if (start < 0) {
    throw new WalError(
      'ERR_WAL_MISSING',
      `the log begins at entry ${segments[0]!.index}, not at ${from.index + 1}`,
      dir,
    );
  }
  for (let i = start + 1; i < segments.length; i++) {
    const want = segments[i - 1]!.sequence + 1;
    if (segments[i]!.sequence !== want) {
      throw new WalError(
        'ERR_WAL_ROT',
        `segment ${want} is ${segments[i]!.sequence < want ? 'there twice' : 'gone'}`,
        dir,
      );
    }
  }
  return start;
}

/** Where to begin to have entries behind `index` too, as far back as the segments follow each other. */
function earlier(segments: SegmentName[], start: number, index: number): number {
  let i = start;
  while (i > 0 && segments[i]!.index > index + 1 && segments[i - 1]!.sequence === segments[i]!.sequence - 1) i--;
  return i;
}

function rot(reader: SegmentReader, reason: string, offset = reader.offset): WalError {
  return new WalError('ERR_WAL_ROT', reason, reader.path, offset);
}

/** Carries the CRC chain and the metadata from segment to segment. */
class LogReader {
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #mark: Mark | null;
  readonly replay: Replay;
  crc = 0;
  /** True once a segment has been read: the next one's Crc record must continue its chain. */
  #chained = false;
  metadata: Metadata | null = null;
  metadataBytes: Buffer | null = null;

  constructor(disk: Disk, dir: string, from: WalPoint, first: SegmentName, mark: Mark | null, keep: number) {
    this.#disk = disk;
    this.#dir = dir;
    this.#mark = mark;
    this.replay = new Replay(from, first.index, keep);
  }

  /** Reads a segment to its end or to the first damage; `reason` of the reader is '' at an end. */
  read(segment: SegmentName): SegmentReader {
    const reader = new SegmentReader(this.#disk, join(this.#dir, segment.name));
    const mark = this.#mark !== null && this.#mark.sequence === segment.sequence ? this.#mark : null;
    this.#head(reader, segment);
    for (;;) {
      if (mark !== null && reader.offset >= mark.offset) this.#atMark(reader, mark);
      const found = reader.next();
      if (found === 'end') {
        reader.reason = '';
        break;
      }
      if (found === 'damage') break;
      const crc = crc32c(reader.data, this.crc);
      const wrong = crc !== reader.crc ? 'CRC mismatch' : this.replay.add(reader.type, reader.data);
      if (wrong !== null) {
        reader.reason = wrong;
        break;
      }
      this.crc = crc;
      reader.accept();
    }
    this.#chained = true;
    return reader;
  }

  /** Crc and Metadata records: they were synced before the segment got its name, so damage is rot in any segment. */
  #head(reader: SegmentReader, segment: SegmentName): void {
    this.#mustRecord(reader, WalRecordType.CRC, 'Crc');
    if (reader.data.length !== 0) throw rot(reader, 'its Crc record has data');
    if (this.#chained && reader.crc !== this.crc)
      throw rot(reader, 'it does not continue the CRC chain of the one before');
    if (segment.sequence === 0 && reader.crc !== 0)
      throw rot(reader, 'the CRC of the first segment does not begin at 0');
    this.crc = reader.crc;
    reader.accept();
    this.#mustRecord(reader, WalRecordType.METADATA, 'Metadata');
    const crc = crc32c(reader.data, this.crc);
    if (crc !== reader.crc) throw rot(reader, 'CRC mismatch');
    if (this.metadataBytes === null) {
      this.metadataBytes = Buffer.from(reader.data);
      this.metadata = MetadataCodec.decode(this.metadataBytes);
    } else if (!this.metadataBytes.equals(reader.data)) throw rot(reader, 'its metadata are those of another log');
    this.crc = crc;
    reader.accept();
  }

  #mustRecord(reader: SegmentReader, type: number, name: string): void {
    const found = reader.next();
    if (found === 'damage') throw rot(reader, reader.reason);
    if (found === 'end' || reader.type !== type) throw rot(reader, `there is no ${name} record`);
  }

  /** A mark lies between two frames. Where it lies within one, the end of the log is checked against it anyhow. */
  #atMark(reader: SegmentReader, mark: Mark): void {
    if (reader.offset === mark.offset && this.crc !== mark.crc) {
      throw rot(reader, `the running CRC is ${this.crc}, and it was ${mark.crc} when this had been synced`);
    }
  }
}

/** Segments in the making that a crash left behind. */
export function removeTemporary(disk: Disk, dir: string): void {
  for (const name of disk.list(dir)) if (isTemporary(name)) disk.unlink(join(dir, name));
}
