import { dirname, join } from 'node:path';
import type { Disk, DiskFile } from '../../util/env.js';
import type { HardState, Metadata } from '../../wire/index.js';
import { EMPTY, Metadata as MetadataCodec, WalRecordType, WalSnapshot as WalSnapshotCodec } from '../../wire/index.js';
import { WalEncoder } from './encoder.js';
import type { SegmentName } from './format.js';
import { segmentName } from './format.js';
import { encodeBoth, encodePromise, markPath } from './mark.js';
import { WalMutant } from './mutants.js';
import type { WalPoint } from './types.js';

const DENIED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EINVAL', 'EROFS', 'ENOTSUP']);

/** What a log continues from. */
export interface Tail {
  readonly file: DiskFile;
  readonly offset: number;
  readonly crc: number;
  readonly segments: SegmentName[];
  readonly metadata: Metadata;
  readonly metadataBytes: Buffer;
  readonly hardState: HardState | null;
  readonly lastIndex: number;
  readonly mark: DiskFile;
  readonly markCounter: number;
  readonly uncertain: boolean;
}

/** What a log begins with. */
export interface Beginning {
  readonly metadata: Metadata;
  /** Of the first mark, which is written with this and the next one. */
  readonly markCounter: number;
  /** The state that it continues; {0, 0} for a new member. */
  readonly from: WalPoint;
  readonly hardState: HardState | null;
  readonly uncertain: boolean;
  readonly segmentBytes: number;
  readonly mutants: ReadonlySet<string>;
}

/**
 * Makes a log's folder with one segment. All of it is durable on return; the mark is there before the folder has its
 * name, so that a crash at any point leaves no log, and a mark, or both.
 */
export function createFolder(disk: Disk, dir: string, beginning: Beginning): Tail {
  const { metadata, from, hardState, uncertain } = beginning;
  const making = `${dir}.tmp`;
  disk.removeTree(making);
  disk.removeTree(dir);
  disk.mkdirp(making);

  const metadataBytes = MetadataCodec.encode(metadata);
  const encoder = new WalEncoder(0);
  encoder.begin(4 * WalEncoder.room(metadataBytes.length + 32) + WalEncoder.stateRoom);
  encoder.record(WalRecordType.CRC, EMPTY);
  encoder.record(WalRecordType.METADATA, metadataBytes);
  encoder.record(WalRecordType.SNAPSHOT, WalSnapshotCodec.encode({ index: 0, term: 0 }));
  if (from.index > 0) {
    const bytes = WalSnapshotCodec.encode({ index: from.index, term: Math.max(from.term, 1) });
    encoder.record(WalRecordType.SNAPSHOT, bytes);
  }
  if (hardState !== null) encoder.hardState(hardState);
  const head = Buffer.concat(encoder.finish());
  const name = segmentName(0, 0);
  const first = disk.open(join(making, name), { create: true });
  first.truncateSync(beginning.segmentBytes);
  first.writeSync(0, head);
  first.syncSync();
  first.close();
  disk.fsyncDir(making);

  const counter = beginning.markCounter;
  const mark = disk.open(markPath(dir), { create: true });
  const promise = encodePromise(hardState, metadata);
  mark.writeSync(0, encodeBoth(counter, 0, head.length, encoder.crc, uncertain, promise));
  mark.syncSync();
  // The mark of a log that is replaced must not come back without its new content.
  disk.fsyncDir(dirname(dir));
  disk.rename(making, dir);
  if (!beginning.mutants.has(WalMutant.NO_DIR_SYNC)) fsyncUpwards(disk, dirname(dir));
  return {
    file: disk.open(join(dir, name), { create: false }),
    offset: head.length,
    crc: encoder.crc,
    segments: [{ name, sequence: 0, index: 0 }],
    metadata,
    metadataBytes,
    hardState,
    lastIndex: from.index,
    mark,
    markCounter: counter + 1,
    uncertain,
  };
}

/**
 * Makes the name of a folder durable, and those of the folders above it: they may have been made just now, or by a process
 * that ended before it could. Those above the data folder may not be ours to open; then they were not ours to make.
 */
export function fsyncUpwards(disk: Disk, dir: string): void {
  disk.fsyncDir(dir);
  disk.fsyncDir(dirname(dir));
  for (let above = dirname(dirname(dir)); ; above = dirname(above)) {
    try {
      disk.fsyncDir(above);
    } catch (err) {
      if (!DENIED.has((err as { code?: string }).code ?? '')) throw err;
    }
    if (above === dirname(above)) return;
  }
}
