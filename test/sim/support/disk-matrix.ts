import type { Member } from '../../../src/server/index.js';
import type { SimNode } from '../../../src/sim/node.js';
import type { LabOptions } from './disk-lab.js';
import { DiskLab } from './disk-lab.js';

export const ROWS = ['WAL record', 'WAL header', 'snapshot chunk', 'store record', 'manifest/meta'] as const;
export const FAULTS = ['flip', 'zero', 'truncate', 'torn', 'misdirect', 'EIO', 'ENOSPC', 'fsync fail'] as const;
export type Row = (typeof ROWS)[number];
export type Fault = (typeof FAULTS)[number];

/** One way to bring a fault about; a cell of the matrix has one or more. */
export interface Case {
  readonly row: Row;
  readonly fault: Fault;
  readonly title: string;
  /** The member is down while it happens, and starts afterwards; else it is in the middle of its work. */
  readonly when: 'at rest' | 'live';
  readonly lab?: Partial<LabOptions>;
  /** @returns false where the case must be tried in another way (`attempt` is one more then) */
  readonly act: (lab: DiskLab, node: SimNode, attempt: number) => void;
  /** What the member, or the leader for a snapshot on its way, must say of it: in a line of the log or as it stops. */
  readonly says: RegExp;
  /** What became of it. */
  readonly outcome: string;
  /** Tries so many ways of `act` until one `says` what is asked for. Default 1 */
  readonly attempts?: number;
}

const SECTOR = 512;
const KEY_ROWS = Buffer.from([1]);
const COUNTERS_ROW = Buffer.from([0, 0x63]);
const SET_ASIDE_LOG = 'log set aside, begun anew behind the store; caught up by the leader, vote withheld until then';
const SET_ASIDE_STORE = 'store set aside';
const REBUILT = 'store set aside, rebuilt from the log, which is complete';
const FETCHED =
  'store set aside, and the log, which does not reach back; snapshot from the leader, vote withheld until then';
/** Logs that are cut soon, so that no store can be rebuilt from them. */
const SHORT_LOGS: Partial<LabOptions> = { config: { maxWals: 1 }, tuning: { walSegmentBytes: 2048 } };
const STOPPED = 'member stops; starts again once the disk works';
const SENT_AGAIN = 'refused, what came is removed; the leader sends it again';

const inLog = (path: string): boolean => path.endsWith('.wal');

function read(node: SimNode, path: string): Buffer {
  return node.disk.read(path, 0, node.disk.size(path));
}

/** Not closed: that is queued, and the queue of a member that is down does not move. */
function truncate(node: SimNode, path: string, length: number): void {
  const file = node.disk.open(path, { create: false });
  file.truncateSync(length);
  file.syncSync();
}

function replace(node: SimNode, path: string, bytes: Buffer): void {
  const file = node.disk.open(path, { create: false });
  file.truncateSync(0);
  file.writeSync(0, bytes);
  file.syncSync();
}

/** So many more pages of 4 KiB may be written. */
function fill(node: SimNode, pages: number): void {
  const used = node.disk.options.capacityBytes - node.disk.free('/');
  node.disk.configure({ capacityBytes: used + pages * 4096 });
}

/** Offsets of the newest segment's frames, as far as its head and some records go. */
function frames(node: SimNode, path: string): { at: number; bytes: number }[] {
  const bytes = read(node, path);
  const found: { at: number; bytes: number }[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length === 0) break;
    const whole = 8 + length + ((8 - (length & 7)) & 7);
    found.push({ at, bytes: whole });
    at += whole;
  }
  return found;
}

const newest = (lab: DiskLab, node: SimNode): string => lab.segments(node).at(-1) as string;

/** A record in the middle of what the newest segment holds. */
function middle(lab: DiskLab, node: SimNode): { path: string; at: number; bytes: number } {
  const path = newest(lab, node);
  const all = frames(node, path);
  return { path, ...(all[Math.floor(all.length / 2)] as { at: number; bytes: number }) };
}

const ROT = /damaged data was set aside.*"damaged":"log"/;
/**
 * What may not be said where `says` is ROT: the member opened the log and voted with it. That a leader may still find out
 * later, by its commit index, comes too late.
 */
const TAKEN_FOR_TORN = /cut a torn tail.*"uncertain":false/;

const walRecord: Omit<Case, 'row'>[] = [
  {
    fault: 'flip',
    title: 'a bit of a synced record',
    when: 'at rest',
    act: (lab, node) => {
      const { path, at, bytes } = middle(lab, node);
      node.disk.flipBit(path, at + Math.floor(bytes / 2), 5);
    },
    says: ROT,
    outcome: SET_ASIDE_LOG,
  },
  {
    fault: 'zero',
    title: 'a sector in the middle',
    when: 'at rest',
    act: (lab, node) => {
      const { path, at } = middle(lab, node);
      node.disk.zeroSector(path, at - (at % SECTOR));
    },
    says: ROT,
    outcome: SET_ASIDE_LOG,
  },
  {
    fault: 'truncate',
    title: 'the newest segment ends in the middle of a synced record',
    when: 'at rest',
    act: (lab, node) => {
      const { path, at, bytes } = middle(lab, node);
      truncate(node, path, at + Math.floor(bytes / 2));
    },
    says: ROT,
    outcome: SET_ASIDE_LOG,
  },
  {
    fault: 'torn',
    title: 'half a record behind what was synced',
    when: 'at rest',
    act: (lab, node) => {
      const { path, at, bytes } = middle(lab, node);
      const last = frames(node, path).at(-1) as { at: number; bytes: number };
      const half = node.disk.read(path, at, bytes).subarray(0, Math.max(9, Math.floor(bytes / 2)));
      node.disk.overwrite(path, last.at + last.bytes, half);
    },
    says: /cut a torn tail.*"uncertain":false/,
    outcome: 'tail cut: nobody had been told of it',
  },
  {
    fault: 'misdirect',
    title: 'a write goes 4 KiB further on',
    when: 'live',
    act: (lab, node) => {
      node.disk.inject({ kind: 'misdirected-write', path: inLog, shift: 4096 });
      lab.load(150);
      node.crash('process');
      node.start();
    },
    says: ROT,
    outcome: SET_ASIDE_LOG,
  },
  {
    fault: 'EIO',
    title: 'a read of records fails at the start',
    when: 'at rest',
    act: (_lab, node) => {
      let n = 0;
      node.disk.inject({ kind: 'read-error', path: (path) => inLog(path) && ++n > 1 });
    },
    says: /EIO: simulated, read .*\.wal/,
    outcome: STOPPED,
  },
  {
    fault: 'ENOSPC',
    title: 'the disk is full',
    when: 'live',
    act: (_lab, node) => fill(node, 0),
    says: /stopped.*\.wal: ENOSPC/,
    outcome: STOPPED,
  },
  {
    fault: 'fsync fail',
    title: 'once, then it would succeed',
    when: 'live',
    act: (_lab, node) => node.disk.inject({ kind: 'sync-error', path: inLog }),
    says: /stopped.*\.wal: EIO: simulated, fdatasync/,
    outcome: STOPPED,
  },
];

const head = (title: string, fault: Fault, act: Case['act'], says: RegExp = ROT): Omit<Case, 'row'> => ({
  fault,
  title,
  when: 'at rest',
  act,
  says,
  outcome: SET_ASIDE_LOG,
});

const walHeader: Omit<Case, 'row'>[] = [
  head('the length word of the first frame', 'flip', (lab, node) => node.disk.flipBit(newest(lab, node), 1, 4)),
  head('the Crc record', 'flip', (lab, node) => node.disk.flipBit(newest(lab, node), 11, 2)),
  head('the metadata', 'flip', (lab, node) => {
    const path = newest(lab, node);
    const { at, bytes } = frames(node, path)[1] as { at: number; bytes: number };
    node.disk.flipBit(path, at + bytes - 10, 0);
  }),
  head('the first sector of a segment', 'zero', (lab, node) => node.disk.zeroSector(newest(lab, node), 0)),
  head('a segment is empty', 'truncate', (lab, node) => truncate(node, newest(lab, node), 0)),
  head('of the head the first record is there', 'torn', (lab, node) => {
    const path = newest(lab, node);
    const { at } = frames(node, path)[1] as { at: number };
    node.disk.overwrite(path, at, Buffer.alloc(SECTOR - at));
  }),
  {
    ...head('the head of another segment', 'misdirect', (lab, node) => {
      const all = lab.segments(node);
      const [crc, metadata] = frames(node, all[0] as string);
      const bytes = node.disk.read(all[0] as string, 0, (crc?.bytes ?? 0) + (metadata?.bytes ?? 0));
      node.disk.overwrite(all.at(-1) as string, 0, bytes);
    }),
    lab: { tuning: { walSegmentBytes: 4096 } },
  },
  {
    ...head(
      'the first read fails at the start',
      'EIO',
      (_lab, node) => node.disk.inject({ kind: 'read-error', path: inLog }),
      /EIO: simulated, read .*\.wal/,
    ),
    outcome: STOPPED,
  },
  {
    fault: 'ENOSPC',
    title: 'when the next segment gets its head',
    when: 'live',
    attempts: 12,
    act: (lab, node, attempt) => {
      fill(node, attempt);
      lab.load(1500);
    },
    says: /stopped.*ENOSPC: simulated, write .*\.tmp/,
    outcome: STOPPED,
  },
  {
    fault: 'fsync fail',
    title: 'of the next segment before it gets its name',
    when: 'live',
    act: (lab, node) => {
      node.disk.inject({ kind: 'sync-error', path: (path) => path.endsWith('.tmp') });
      lab.load(1500);
    },
    says: /stopped.*EIO: simulated, fdatasync .*\.tmp/,
    outcome: STOPPED,
  },
];

/** Has the member that starts next get a snapshot whose first rows pass through `tamper`, once. */
function tamperSnapshot(node: SimNode, begun: () => void, tamper: (chunk: Buffer, header: Buffer) => Buffer): void {
  let done = false;
  node.watcher = {
    ended: () => {},
    opened: (_node, member: Member) => {
      const inner = member.onSnapshot;
      const outer: typeof inner = (from) => {
        const sink = inner(from);
        if (sink === null) return null;
        begun();
        let header: Buffer | null = null;
        return {
          write: (chunk, cb) => {
            const isRows = chunk.length > 8 && chunk[0] === 0x52;
            if (isRows && header !== null && !done) {
              done = true;
              return sink.write(tamper(Buffer.from(chunk), header), cb);
            }
            if (chunk[0] === 0x48) header = Buffer.from(chunk);
            sink.write(chunk, cb);
          },
          end: (cb) => sink.end(cb),
          abort: () => sink.abort(),
        };
      };
      Object.defineProperty(member, 'onSnapshot', { get: () => outer });
    },
  };
}

/** Down for so long that the leader's log does not reach back to where it is. */
function lagBehind(lab: DiskLab, node: SimNode): void {
  node.crash('process');
  lab.load(2500);
}

function chunk(
  fault: Fault,
  title: string,
  tamper: (chunk: Buffer, header: Buffer) => Buffer,
  says = /failed to send database snapshot.*snapshot: /,
): Omit<Case, 'row'> {
  return {
    fault,
    title,
    when: 'live',
    act: (lab, node) => {
      lagBehind(lab, node);
      tamperSnapshot(node, () => {}, tamper);
      node.start();
    },
    says,
    outcome: SENT_AGAIN,
  };
}

function whileArriving(
  fault: Fault,
  title: string,
  begun: (lab: DiskLab, node: SimNode) => void,
  says: RegExp,
): Omit<Case, 'row'> {
  return {
    fault,
    title,
    when: 'live',
    act: (lab, node) => {
      lagBehind(lab, node);
      let once = false;
      tamperSnapshot(
        node,
        () => {
          if (!once) begun(lab, node);
          once = true;
        },
        (bytes) => bytes,
      );
      node.start();
    },
    says,
    outcome: SENT_AGAIN,
  };
}

const snapshotChunk: Omit<Case, 'row'>[] = [
  chunk('flip', 'a bit of a row', (bytes) => {
    bytes[bytes.length >> 1]! ^= 4;
    return bytes;
  }),
  chunk('zero', '512 bytes', (bytes) => bytes.fill(0, 100, 612)),
  chunk('truncate', 'it ends in the middle', (bytes) => bytes.subarray(0, bytes.length >> 1)),
  chunk('torn', 'its second half never arrived', (bytes) => bytes.fill(0, bytes.length >> 1)),
  chunk('misdirect', 'the chunk before it once more', (_bytes, header) => header),
  whileArriving(
    'EIO',
    'the sender cannot read its rows',
    (lab) => lab.leader?.stores.failNext('read', 'EIO'),
    /failed to send database snapshot.*EIO|injected failure of read/,
  ),
  whileArriving(
    'ENOSPC',
    'where it is received',
    (_lab, node) => node.stores.failNext('write', 'ENOSPC'),
    /failed to send database snapshot.*injected failure of write/,
  ),
  whileArriving(
    'fsync fail',
    'where it is received',
    (_lab, node) => node.stores.failNext('sync', 'EIO'),
    /failed to send database snapshot.*injected failure of sync/,
  ),
];

type Change = (value: Buffer, other: Buffer) => Buffer;

const CHANGES: readonly [fault: Fault, title: string, change: Change][] = [
  [
    'flip',
    'a bit of the value',
    (value) => {
      value[value.length >> 1]! ^= 0x10;
      return value;
    },
  ],
  ['zero', 'the value', (value) => value.fill(0)],
  ['truncate', 'half of the value', (value) => value.subarray(0, value.length >> 1)],
  [
    'torn',
    "its second half is another row's",
    (value, other) => Buffer.concat([value.subarray(0, value.length >> 1), other.subarray(value.length >> 1)]),
  ],
  ['misdirect', "another row's value", (_value, other) => other],
];

const SAYS_STORE = /damaged data was set aside.*"damaged":"store"/;

const storeRecord: Omit<Case, 'row'>[] = [
  ...CHANGES.flatMap(([fault, title, change]): Omit<Case, 'row'>[] => [
    {
      fault,
      title: `${title}, found at the start`,
      when: 'at rest',
      act: (lab, node) => void node.stores.damage(lab.store(node), KEY_ROWS, change),
      says: SAYS_STORE,
      outcome: SET_ASIDE_STORE,
    },
    {
      fault,
      title: `${title}, found by a reader`,
      when: 'live',
      lab: { ...SHORT_LOGS, tuning: { ...SHORT_LOGS.tuning, valueCacheBytes: 0 } },
      act: (lab, node) => {
        node.stores.damage(lab.store(node), KEY_ROWS, change);
        for (let i = 0; i < 500 && node.up; i++) {
          lab.readSome(node);
          lab.cluster.run(10);
        }
      },
      says: /stopped.*row key\/\w+ (fails its checksum|has \d+ bytes)/,
      outcome: SET_ASIDE_STORE,
    },
  ]),
  {
    fault: 'EIO',
    title: 'a read at the start',
    when: 'at rest',
    act: (_lab, node) => node.stores.failNext('read', 'EIO', 3),
    says: /stopped.*injected failure of read/,
    outcome: STOPPED,
  },
  {
    fault: 'ENOSPC',
    title: 'a flush',
    when: 'live',
    act: (_lab, node) => node.stores.failNext('write', 'ENOSPC'),
    says: /stopped.*flush \d+: .*injected failure of write/,
    outcome: STOPPED,
  },
  {
    fault: 'fsync fail',
    title: 'a flush',
    when: 'live',
    act: (_lab, node) => node.stores.failNext('sync', 'EIO'),
    says: /stopped.*flush \d+: .*injected failure of sync/,
    outcome: STOPPED,
  },
];

const keelFile = (lab: DiskLab, node: SimNode): string => `${lab.folder(node)}/keel/KEEL`;
const markFile = (lab: DiskLab, node: SimNode): string => `${lab.folder(node)}/wal.synced`;

/** Damage of KEEL, of both slots of the mark, and of the counters' row. */
function meta(fault: Fault, change: Change): Omit<Case, 'row'>[] {
  const whole = (node: SimNode, path: string, other: string): void =>
    replace(node, path, change(read(node, path), read(node, other)));
  return [
    {
      fault,
      title: 'KEEL',
      when: 'at rest',
      lab: SHORT_LOGS,
      act: (lab, node) => whole(node, keelFile(lab, node), markFile(lab, node)),
      says: /damaged data was set aside.*KEEL is damaged/,
      outcome: SET_ASIDE_STORE,
    },
    {
      fault,
      title: 'wal.synced',
      when: 'at rest',
      act: (lab, node) => {
        const path = markFile(lab, node);
        const slot = (at: number): Buffer => read(node, path).subarray(at, at + 84);
        const other = Buffer.alloc(84, read(node, keelFile(lab, node)));
        const changed = [change(slot(0), other), change(slot(4096), other)] as [Buffer, Buffer];
        if (fault === 'truncate') return replace(node, path, changed[0]);
        node.disk.overwrite(path, 0, changed[0]);
        node.disk.overwrite(path, 4096, changed[1]);
      },
      says: /there was no readable mark beside the write-ahead log/,
      outcome: 'the log proves itself whole; a new mark is written',
    },
    {
      fault,
      title: 'the counters',
      when: 'at rest',
      act: (lab, node) => {
        const other = Buffer.from(node.stores.value(lab.store(node), node.stores.peek(lab.store(node)).at(-1)!)!);
        node.stores.damage(lab.store(node), COUNTERS_ROW, (value) => change(value, other));
      },
      says: SAYS_STORE,
      outcome: SET_ASIDE_STORE,
    },
  ];
}

const manifest: Omit<Case, 'row'>[] = [
  ...CHANGES.flatMap(([fault, , change]) => meta(fault, change)),
  {
    fault: 'EIO',
    title: 'KEEL cannot be read',
    when: 'at rest',
    act: (_lab, node) => node.disk.inject({ kind: 'read-error', path: (path) => path.endsWith('KEEL') }),
    says: /stopped.*EIO: simulated, read .*KEEL/,
    outcome: STOPPED,
  },
  {
    fault: 'EIO',
    title: 'wal.synced cannot be read',
    when: 'at rest',
    act: (_lab, node) => node.disk.inject({ kind: 'read-error', path: (path) => path.endsWith('wal.synced') }),
    says: /stopped.*EIO: simulated, read .*wal\.synced/,
    outcome: STOPPED,
  },
  {
    fault: 'ENOSPC',
    title: 'KEEL, when a snapshot is swapped in',
    when: 'live',
    attempts: 8,
    act: (lab, node, attempt) => {
      lagBehind(lab, node);
      tamperSnapshot(
        node,
        () => {},
        (bytes) => {
          fill(node, attempt);
          return bytes;
        },
      );
      node.start();
    },
    says: /stopped.*ENOSPC: simulated, write .*KEEL/,
    outcome: STOPPED,
  },
  {
    fault: 'fsync fail',
    title: 'KEEL, when a snapshot is swapped in',
    when: 'live',
    act: (lab, node) => {
      lagBehind(lab, node);
      node.start();
      node.disk.inject({ kind: 'sync-error', path: (path) => path.includes('/KEEL') });
    },
    says: /stopped.*EIO: simulated, fdatasync .*KEEL/,
    outcome: STOPPED,
  },
  {
    fault: 'fsync fail',
    title: 'wal.synced, when a segment is left',
    when: 'live',
    act: (lab, node) => {
      node.disk.inject({ kind: 'sync-error', path: (path) => path.endsWith('wal.synced') });
      lab.load(1500);
    },
    says: /stopped.*EIO: simulated, fdatasync .*wal\.synced/,
    outcome: STOPPED,
  },
];

const of = (row: Row, cases: Omit<Case, 'row'>[]): Case[] => cases.map((one) => ({ row, ...one }));

export const CASES: readonly Case[] = [
  ...of('WAL record', walRecord),
  ...of('WAL header', walHeader),
  ...of('snapshot chunk', snapshotChunk),
  ...of('store record', storeRecord),
  ...of('manifest/meta', manifest),
];

/**
 * One case on one seed: load, the fault on a follower, load, and in the end all is well again.
 * @returns what became of it
 * @throws where it was not noticed, a wrong byte was served, or the members do not come together
 */
export function runCase(one: Case, seed: number): string {
  for (let attempt = 0; ; attempt++) {
    const lab = new DiskLab({ seed, ...one.lab, config: { maxWals: 3, ...one.lab?.config } });
    lab.start();
    lab.load(1200);
    const node = lab.follower();
    const from = lab.lines.length;
    if (one.when === 'at rest') {
      node.crash('process');
      one.act(lab, node, attempt);
      lab.load(200);
      node.start();
    } else one.act(lab, node, attempt);
    lab.load(1200);
    node.disk.clearFaults();
    node.stores.clearFaults();
    node.disk.configure({ capacityBytes: 2 ** 40 });
    node.start();
    lab.load(500);
    lab.settle();
    const said = [
      ...lab.lines
        .slice(from)
        .map(
          (line) => `${line.msg} ${JSON.stringify(line.fields, (_k, v) => (typeof v === 'bigint' ? String(v) : v))}`,
        ),
      ...lab.failures.map(({ err }) => `stopped: ${err.message}`),
    ];
    const missed = one.says === ROT ? said.find((text) => TAKEN_FOR_TORN.test(text)) : undefined;
    if (missed !== undefined) throw new Error(`rot taken for a torn tail: ${missed}`);
    if (said.some((text) => one.says.test(text))) return outcomeOf(one, lab, node);
    if (attempt + 1 < (one.attempts ?? 1)) continue;
    throw new Error(`nobody said ${one.says} of it:\n${said.slice(-40).join('\n')}`);
  }
}

/** As the case has it, but for a store: what its log allowed was up to the member. */
function outcomeOf(one: Case, lab: DiskLab, node: SimNode): string {
  if (one.outcome !== SET_ASIDE_STORE) return one.outcome;
  const parts = lab.asides(node).map((line) => line.fields['set-aside']);
  const how = parts.includes('store and log') || parts.includes('log') ? FETCHED : REBUILT;
  return one.when === 'live' ? `member stops before it answers; ${how}` : how;
}
