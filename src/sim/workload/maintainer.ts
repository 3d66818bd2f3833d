import type { Completion, Member, SnapshotFile } from '../../server/index.js';
import { ServerError } from '../../server/index.js';
import type { Rng } from '../../util/rng.js';
import { AS_ROOT } from '../caller.js';
import type { Violation } from '../checkers/index.js';
import type { ClientKind, SimClient } from './client-kinds.js';
import type { Workload } from './workload.js';
import { pickNode } from './workload.js';

const CALL_MS = 15_000;

type Call = (member: Member, done: Completion<string | null>) => void;

/**
 * Somebody who looks after the cluster while it runs: defragments, takes snapshots, asks for hashes, members, alarms and
 * what is left of leases. What it may not see it says at the end; that nothing of it changes the state is for the other
 * checks.
 */
class Maintainer implements SimClient {
  readonly #work: Workload;
  readonly #rng: Rng;
  readonly #wrong: Violation[] = [];

  constructor(work: Workload, rng: Rng) {
    this.#work = work;
    this.#rng = rng;
  }

  start(): void {
    this.#work.port.later(this.#rng.below(2_500_000), () => this.#next());
  }

  violations(): readonly Violation[] {
    return this.#wrong;
  }

  #next(): void {
    if (this.#work.stopping) return;
    const calls: readonly Call[] = [
      defragment,
      defragment,
      (member, done) => snapshot(member, this.#rng.chance(1, 3) ? this.#rng.below(3) : -1, done),
      hash,
      hashKv,
      members,
      status,
      alarms,
      (member, done) => this.#timeToLive(member, done),
      (member, done) => this.#timeToLive(member, done),
    ];
    const over = (): void => this.start();
    this.#work.port.call<string | null>(pickNode(this.#work, this.#rng), CALL_MS, this.#rng.pick(calls), {
      ok: (wrong) => {
        if (wrong !== null) this.#wrong.push({ rule: 'maintenance', message: wrong, ops: [], revisions: [] });
        over();
      },
      fail: over,
      lost: over,
    });
  }

  #timeToLive(member: Member, done: Completion<string | null>): void {
    const ids = member.leases();
    const id = ids.length === 0 ? 1n : this.#rng.pick(ids);
    const { electionMs } = member.config;
    member.leaseTimeToLive(id, this.#rng.chance(1, 2), AS_ROOT, {
      ok: ({ ttl, grantedTtl, keys }) => {
        // A new leader adds an election timeout.
        const most = grantedTtl + Math.ceil((2 * electionMs) / 1000);
        if (ttl > most) done.ok(`lease ${id}, of ${grantedTtl} s, has ${ttl} s left`);
        else if (ttl === -1 && keys.length > 0) done.ok(`lease ${id}, which is not there, has keys`);
        else done.ok(null);
      },
      fail: (err) => done.fail(err),
    });
  }
}

function defragment(member: Member, done: Completion<string | null>): void {
  member.defragment({ ok: () => done.ok(null), fail: (err) => done.fail(err) });
}

function hash(member: Member, done: Completion<string | null>): void {
  member.hash({ ok: () => done.ok(null), fail: (err) => done.fail(err) });
}

function hashKv(member: Member, done: Completion<string | null>): void {
  member.hashKv(0, { ok: () => done.ok(null), fail: (err) => done.fail(err) });
}

function members(member: Member, done: Completion<string | null>): void {
  member.memberList(true, AS_ROOT, {
    ok: (list) => done.ok(list.length > 0 ? null : 'a cluster without members'),
    fail: (err) => done.fail(err),
  });
}

function status(member: Member, done: Completion<string | null>): void {
  const { raftAppliedIndex, raftIndex, dbSize } = member.status();
  const sound = raftAppliedIndex <= raftIndex && dbSize > 0;
  done.ok(sound ? null : `applied ${raftAppliedIndex} of ${raftIndex}, ${dbSize} bytes`);
}

function alarms(member: Member, done: Completion<string | null>): void {
  member.alarm({ action: 0, memberId: 0n, alarm: 0 }, AS_ROOT, {
    ok: () => done.ok(null),
    fail: (err) => done.fail(err),
  });
}

/** @param pages it is given up after so many; -1: it is read to its end */
function snapshot(member: Member, pages: number, done: Completion<string | null>): void {
  member.snapshot({
    ok: (file) => readPages(file, pages, 0, done),
    fail: (err) => done.fail(err),
  });
}

function readPages(file: SnapshotFile, left: number, bytes: number, done: Completion<string | null>): void {
  if (left === 0) {
    file.close();
    return done.ok(null);
  }
  file.next((err, pages) => {
    if (err !== null) {
      file.close();
      return done.fail(err instanceof ServerError ? err : new ServerError('ERR_INTERNAL', err.message));
    }
    if (pages !== null) {
      return readPages(file, left - 1, bytes + pages.reduce((sum, page) => sum + page.length, 0), done);
    }
    file.close();
    done.ok(bytes === file.size ? null : `a snapshot of ${file.size} bytes has ${bytes}`);
  });
}

export const maintainers: ClientKind = {
  name: 'maintainers',
  draw: (rng) => rng.pick([0, 0, 1, 2]),
  make: (work, _id, rng) => new Maintainer(work, rng),
};
