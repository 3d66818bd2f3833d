import type { SimDiskOptions } from '../../../src/sim/disk.js';
import { SimDisk } from '../../../src/sim/disk.js';
import type { WalOptions } from '../../../src/storage/wal/index.js';
import { Wal } from '../../../src/storage/wal/index.js';
import { Rng } from '../../../src/util/rng.js';
import type { HardState, WalSnapshot } from '../../../src/wire/index.js';
import { Entry } from '../../../src/wire/index.js';
import { VirtualTime } from '../../support/virtual-time.js';

export const DIR = '/data/member/wal';
export const MARK = '/data/member/wal.synced';
export const IDENTITY = { nodeId: 0x8e9e05c52164694dn, clusterId: 0xcdf818194e3a8c32n };

export function simDisk(seed: number, options: Partial<SimDiskOptions> = {}) {
  const time = new VirtualTime();
  const disk = new SimDisk({ schedule: time.schedule, rng: new Rng(seed), options });
  return { time, disk };
}

export function entry(index: number, term: number, dataBytes = 10, fill = index): Entry {
  return new Entry(0, term, index, Buffer.alloc(dataBytes, fill & 0xff || 1));
}

/** One record as it was given to the log. */
export type Written =
  | { kind: 'entry'; entry: Entry }
  | { kind: 'state'; state: HardState }
  | { kind: 'snapshot'; snapshot: WalSnapshot };

/** What a log that holds these records is to give back, read from `from`. */
export function expected(records: readonly Written[], from: { index: number; term: number }) {
  const log = new Map<number, Entry>();
  let last = 0;
  let state: HardState | null = null;
  for (const r of records) {
    if (r.kind === 'entry') {
      for (let i = r.entry.index; i <= last; i++) log.delete(i);
      log.set(r.entry.index, r.entry);
      last = r.entry.index;
    } else if (r.kind === 'state') state = r.state;
    else if (r.snapshot.index > last) {
      log.clear();
      last = r.snapshot.index;
    }
  }
  const entries: Entry[] = [];
  for (let i = from.index + 1; i <= last; i++) entries.push(log.get(i)!);
  const hardState =
    state === null
      ? null
      : { ...state, commit: Math.max(from.index, Math.min(state.commit, Math.max(last, from.index))) };
  return { hardState, entries };
}

/** A comparable form. */
export function show(content: { hardState: HardState | null; entries: readonly (Entry | undefined)[] }): string {
  const hs = content.hardState;
  const state = hs === null ? '-' : `${hs.term}/${hs.vote}/${hs.commit}`;
  return `${state} ${content.entries
    .map((e) => (e === undefined ? 'hole' : `${e.index}:${e.term}:${e.type}:${e.data.toString('hex')}`))
    .join(' ')}`;
}

/** The log's file names and bytes, without temporary files. */
export function snapshotOf(disk: SimDisk): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of disk.list(DIR)) {
    if (name.endsWith('.wal')) files.set(`${DIR}/${name}`, disk.read(`${DIR}/${name}`, 0, disk.size(`${DIR}/${name}`)));
  }
  files.set(MARK, disk.read(MARK, 0, 1 << 20));
  return files;
}

/** A disk that holds these files, durable. */
export function diskWith(files: ReadonlyMap<string, Buffer>, seed = 1) {
  const made = simDisk(seed);
  made.disk.mkdirp(DIR);
  for (const [path, bytes] of files) {
    const file = made.disk.open(path, { create: true });
    file.writeSync(0, bytes);
    file.syncSync();
  }
  for (const dir of ['/', '/data', '/data/member', DIR]) made.disk.fsyncDir(dir);
  return made;
}

/** Saves one batch and waits for it. */
export function saveNow(
  time: VirtualTime,
  wal: Wal,
  state: HardState | null,
  entries: Entry[],
  sync = true,
): Error | null {
  let result: Error | null | undefined;
  wal.save(state, entries, sync, (err) => (result = err));
  time.run();
  if (result === undefined) throw new Error('save did not call back');
  return result;
}

/** A closed log of a few saves, in two segments or more. */
export function smallLog(options: WalOptions = { segmentBytes: 512 }, entries = 12) {
  const { time, disk } = simDisk(1);
  const wal = Wal.create(disk, DIR, IDENTITY, options);
  const records: Written[] = [];
  for (let i = 1; i <= entries; i++) {
    const state = { term: 1 + (i >> 3), vote: IDENTITY.nodeId, commit: i - 1 };
    const e = entry(i, state.term, i * 3);
    saveNow(time, wal, state, [e]);
    records.push({ kind: 'entry', entry: e }, { kind: 'state', state });
  }
  wal.close(() => {});
  time.run();
  return { disk, time, records };
}
