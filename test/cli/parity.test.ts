/**
 * The same command lines (parity/lines.ts) through the real etcdctl and through keelctl, against Keel and against a real
 * etcd, each pair of a program and a store on a cluster of its own: stdout, stderr and exit code must be equal once ids,
 * times and the program's name are masked. etcdctl here is one of 3.5; where 3.6 prints otherwise, the line carries
 * `as36`, which turns the one into the other.
 *
 *             on Keel          on etcd
 *   etcdctl   a        ==      b         the store cannot be told from etcd
 *             ||               ||
 *   keelctl   c                d         the program cannot be told from etcdctl
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoreKind } from '../support/binaries.js';
import { etcdctlBinary } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import type { CtlResult } from '../support/ctl.js';
import { runEtcdctl, runKeelctl } from '../support/ctl.js';
import { storesHere } from '../support/stores.js';
import type { Line } from './parity/lines.js';
import { LINES } from './parity/lines.js';
import { inOrder, mask, split } from './parity/mask.js';

/** A program on a store of its own. */
interface Seat {
  readonly program: 'etcdctl' | 'keelctl';
  readonly kind: StoreKind;
  readonly cluster: Cluster;
  readonly captured: Record<string, string>;
  readonly folder: string;
}

const kinds = storesHere('keelctl beside etcdctl');
const available = etcdctlBinary() !== undefined && kinds.length > 0;

describe.skipIf(!available)(
  available ? `etcdctl and keelctl on ${kinds}` : 'keelctl beside etcdctl: no etcdctl',
  () => {
    const seats: Seat[] = [];

    beforeAll(async () => {
      const wanted = kinds.flatMap((kind) => [
        { program: 'etcdctl' as const, kind },
        { program: 'keelctl' as const, kind },
      ]);
      const open = async (seat: (typeof wanted)[number]): Promise<Seat> => ({
        ...seat,
        cluster: await Cluster.start({ kind: seat.kind, size: 1 }),
        captured: {},
        folder: mkdtempSync(join(tmpdir(), 'parity-')),
      });
      seats.push(...(await Promise.all(wanted.map(open))));
    });

    afterAll(async () => {
      await Promise.all(seats.map((seat) => seat.cluster.dispose()));
      for (const seat of seats) rmSync(seat.folder, { recursive: true, force: true });
    });

    it.each(
      LINES.map((line, i) => ({ ...line, name: `${i} ${line.args} ${line.env ? JSON.stringify(line.env) : ''}` })),
    )('$name', async (line) => {
      const results = await Promise.all(seats.map((seat) => runLine(line, seat)));
      const of = (program: Seat['program'], kind: StoreKind) =>
        results[seats.findIndex((seat) => seat.program === program && seat.kind === kind)]!;
      const as36 = line.as36 ?? ((r: CtlResult) => r);
      const shown = (r: CtlResult) => (line.anyOrder ? inOrder(r) : r);
      for (const kind of kinds) {
        expect(shown(of('keelctl', kind)), `keelctl on ${kind}`).toEqual(shown(as36(of('etcdctl', kind), kind)));
      }
      if (kinds.length > 1) {
        expect(shown(of('etcdctl', 'keel')), 'etcdctl on keel').toEqual(shown(of('etcdctl', 'etcd')));
      }
    });
  },
);

async function runLine(line: Line, seat: Seat): Promise<CtlResult> {
  const { cluster, captured, folder } = seat;
  const endpoint = cluster.endpoints[0]!;
  const values: Record<string, string> = { ...captured, E: endpoint, D: folder };
  const words = split(line.args).map((w) => w.replace(/\{(\w)\}/g, (_, name: string) => values[name]!));
  // What completes a command line takes all of it.
  const args = words[0]?.startsWith('__') ? words : ['--endpoints', endpoint, ...words];
  const result = await (seat.program === 'etcdctl' ? runEtcdctl : runKeelctl)({
    args,
    ...(line.stdin === undefined ? {} : { stdin: line.stdin }),
    ...(line.env === undefined ? {} : { env: line.env }),
    ...(line.interrupt === undefined ? {} : { interrupt: line.interrupt }),
  });
  if (line.capture) captured[line.capture.name] = line.capture.from.exec(result.out)?.[1] ?? '';
  const masked = mask(result, cluster, captured);
  const hide = (text: string): string => {
    const named = text.replaceAll(folder, '{D}');
    return line.hide === undefined ? named : named.replace(line.hide, 'HIDDEN');
  };
  return { code: masked.code, out: hide(masked.out), err: hide(masked.err) };
}
