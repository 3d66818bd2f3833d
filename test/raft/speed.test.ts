import { expect, it } from 'vitest';
import type { Message } from '../../src/raft/index.js';
import { NONE, Raft } from '../../src/raft/index.js';
import { Rng } from '../../src/util/rng.js';

/** Three members that hand each other their messages in the order they come, with disks that take no time. */
function run(batch: number, rounds: number): { steps: number; committed: number; ms: number } {
  const ids = [1n, 2n, 3n];
  const rafts = ids.map(
    (id) =>
      new Raft({
        id,
        electionTicks: 10,
        heartbeatTicks: 1,
        rng: new Rng(Number(id)),
        snapshotSource: () => null,
        initial: {
          hardState: { term: 0, vote: NONE, commit: 0 },
          confState: { voters: ids, learners: [] },
          snapshotIndex: 0,
          snapshotTerm: 0,
          entries: [],
          applied: 0,
        },
      }),
  );
  const queue: Message[] = [];
  let steps = 0;
  const pump = (r: Raft) => {
    while (r.hasReady()) {
      const rd = r.ready();
      for (const m of rd.messages) queue.push(m);
      for (const m of rd.messagesAfterPersist) queue.push(m);
      r.persisted(rd.token);
      const n = rd.committedEntries.length;
      if (n > 0) r.applied((rd.committedEntries[n - 1] as { index: number }).index);
    }
  };
  const settle = () => {
    for (let i = 0; i < queue.length; i++) {
      const m = queue[i] as Message;
      const to = rafts[Number(m.to) - 1] as Raft;
      to.step(m);
      steps++;
      pump(to);
    }
    queue.length = 0;
  };
  const leader = rafts[0] as Raft;
  leader.campaign();
  pump(leader);
  settle();
  const data = Buffer.alloc(256);
  const datas = new Array<Buffer>(batch).fill(data);
  const start = performance.now();
  steps = 0;
  for (let i = 0; i < rounds; i++) {
    leader.propose(datas);
    steps += batch;
    pump(leader);
    settle();
    if (i % 100 === 99) for (const r of rafts) r.compact(Math.max(0, r.appliedIndex - 100));
  }
  return { steps, committed: leader.commitIndex, ms: performance.now() - start };
}

it('steps', () => {
  for (const batch of [1, 32]) {
    run(batch, 2000);
    const { steps, committed, ms } = run(batch, Math.ceil(30_000 / batch));
    const perSecond = Math.round((steps / ms) * 1000);
    if (process.env.KEEL_TEST_VERBOSE) {
      console.log(`batches of ${batch}: ${perSecond} steps/s, ${Math.round((committed / ms) * 1000)} entries/s`);
    }
    // The goal is 300,000 on a quiet machine; what is asserted here is that nothing is quadratic.
    expect(perSecond).toBeGreaterThan(20_000);
  }
});
