import { describe, expect, it } from 'vitest';
import { ConfChange, ConfChangeType, Message, MessageKind, NONE, Role } from '../../src/raft/index.js';
import { Cluster } from './support/cluster.js';
import { historyOf } from './support/member.js';
import { entries, Solo } from './support/solo.js';

// One test for each claim of the Raft paper (Ongaro and Ousterhout, extended version) and of Ongaro's thesis.

const K = MessageKind;

/** Elects member 1, which has heard votes of `voters`. */
function lead(options: ConstructorParameters<typeof Solo>[0] = {}): Solo {
  const s = new Solo(options);
  s.raft.campaign();
  s.pump();
  const { term } = s.raft;
  for (let id = 2; !s.raft.isLeader && id <= 9; id++) s.step(K.VoteResp, id, term);
  expect(s.raft.isLeader).toBe(true);
  return s;
}

/** The follower answers that it has everything. */
function ackAll(s: Solo, from: number): Message[] {
  return s.step(K.AppResp, from, s.raft.term, { index: s.raft.lastIndex });
}

const kinds = (messages: Message[]) => messages.map((m) => m.kind);

describe('5.1 terms', () => {
  // Reference: section 5.1, "if one server's current term is smaller than the other's, then it updates its current
  // term to the larger value".
  it.each([
    ['follower', () => new Solo({ hardState: { term: 1 } })],
    [
      'candidate',
      () => {
        const s = new Solo({ hardState: { term: 1 } });
        s.raft.campaign();
        return s.pump();
      },
    ],
    ['leader', () => lead({ hardState: { term: 1 } })],
  ])('a %s takes the larger term and becomes a follower', (_, make) => {
    const s = make();
    s.step(K.AppResp, 2, 9);
    expect(s.raft.term).toBe(9);
    expect(s.raft.role).toBe(Role.Follower);
  });

  // Reference: section 5.1, "If a server receives a request with a stale term number, it rejects the request."
  it('a request of a stale term is rejected with our term', () => {
    const s = new Solo({ hardState: { term: 5 } });
    const [vote] = s.step(K.Vote, 2, 4, { index: 100, logTerm: 4 });
    expect(vote).toMatchObject({ kind: K.VoteResp, reject: true, term: 5 });
    const [append] = s.step(K.App, 2, 4, { entries: entries([4]) });
    expect(append).toMatchObject({ kind: K.AppResp, term: 5, index: 0 });
    expect(s.raft.lastIndex).toBe(0);
  });
});

describe('5.2 leader election', () => {
  // Reference: section 5.2, "When servers start up, they begin as followers."
  it('members start as followers', () => expect(new Solo().raft.role).toBe(Role.Follower));

  // Reference: section 5.2, "leaders send periodic heartbeats to all followers in order to maintain their authority".
  it('a leader sends heartbeats', () => {
    const s = lead({ heartbeatTicks: 2 });
    expect(s.tick()).toEqual([]);
    expect(s.tick().map((m) => [m.kind, m.to])).toEqual([
      [K.Heartbeat, 2n],
      [K.Heartbeat, 3n],
    ]);
  });

  // Reference: section 5.2, "If a follower receives no communication over a period of time called the election
  // timeout ... To begin an election, a follower increments its current term and transitions to candidate state. It
  // then votes for itself and issues RequestVote RPCs in parallel to each of the other servers".
  it.each(['follower', 'candidate'])('a %s starts an election when the timeout passes', (role) => {
    const s = new Solo();
    if (role === 'candidate') s.tick(19);
    const before = s.raft.term;
    const sent = s.tick(19);
    expect(s.raft.term).toBeGreaterThan(before);
    expect(s.raft.role).toBe(Role.Candidate);
    expect(s.raft.status().vote).toBe(1n);
    expect(sent.slice(-2).map((m) => [m.kind, m.to, m.term])).toEqual([
      [K.Vote, 2n, s.raft.term],
      [K.Vote, 3n, s.raft.term],
    ]);
  });

  // Reference: section 5.2, "A candidate wins an election if it receives votes from a majority of the servers in the
  // full cluster for the same term."
  it.each([
    [1, 0, true],
    [2, 0, false],
    [2, 1, true],
    [3, 0, false],
    [3, 1, true],
    [4, 1, false],
    [4, 2, true],
    [5, 1, false],
    [5, 2, true],
    [7, 2, false],
    [7, 3, true],
  ])('of %i members, %i votes beside its own: elected %s', (size, votes, elected) => {
    const s = new Solo({ voters: Array.from({ length: size }, (_, i) => i + 1) });
    s.raft.campaign();
    s.pump();
    for (let id = 2; id < 2 + votes; id++) s.step(K.VoteResp, id, 1);
    expect(s.raft.isLeader).toBe(elected);
  });

  it('counts a vote once', () => {
    const s = new Solo({ voters: [1, 2, 3, 4, 5] });
    s.raft.campaign();
    s.pump();
    s.step(K.VoteResp, 2, 1);
    s.step(K.VoteResp, 2, 1);
    expect(s.raft.isLeader).toBe(false);
  });

  // Reference: section 5.2, "Each server will vote for at most one candidate in a given term, on a
  // first-come-first-served basis".
  it.each([
    [0, 2, false],
    [0, 3, false],
    [2, 2, false],
    [3, 3, false],
    [2, 3, true],
    [3, 2, true],
  ])('having voted for %i, asked by %i: refuses %s', (vote, from, reject) => {
    const s = new Solo({ hardState: { term: 1, vote } });
    expect(s.step(K.Vote, from, 1)[0]).toMatchObject({ kind: K.VoteResp, reject });
  });

  // Reference: section 5.2, "If the leader's term (included in its RPC) is at least as large as the candidate's
  // current term, then the candidate recognizes the leader as legitimate and returns to follower state."
  it.each([0, 1])('a candidate returns to follower for a leader %i terms above', (above) => {
    const s = new Solo();
    s.raft.campaign();
    s.pump();
    s.step(K.App, 2, 1 + above);
    expect(s.raft.role).toBe(Role.Follower);
    expect(s.raft.leader).toBe(2n);
  });

  // Reference: section 5.2, "election timeouts are chosen randomly from a fixed interval".
  it('timeouts are spread over the interval, and drawn anew for each election', () => {
    const seen = new Set<number>();
    for (let seed = 1; seed <= 200; seed++) {
      const s = new Solo({ seed });
      let ticks = 0;
      while (s.raft.role === Role.Follower) {
        s.tick();
        ticks++;
      }
      seen.add(ticks);
    }
    expect([...seen].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  // Reference: section 5.2, a follower begins an election if it gets neither requests of a leader nor grants a vote.
  it('a candidate that cannot win does not keep us from campaigning', () => {
    const s = new Solo({ log: [1, 1, 1] });
    for (let term = 2; term < 12; term++) {
      const [answer] = s.step(K.Vote, 2, term, { index: 1, logTerm: 1 });
      expect(answer).toMatchObject({ kind: K.VoteResp, reject: true, term });
      // Its timeout is half of ours.
      for (let i = 0; i < 5; i++) s.tick();
      if (s.raft.role === Role.Candidate) return;
    }
    throw new Error('it never campaigned');
  });

  it('few of three members collide', () => {
    let collisions = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const c = new Cluster({ voters: [1, 2, 3], settings: { preVote: false, electionTicks: 20 }, seed });
      while ([...c.members.values()].every((m) => m.up.role === Role.Follower)) {
        for (const m of c.members.values()) {
          m.up.tick();
          m.pump();
        }
      }
      const candidates = [...c.members.values()].filter((m) => m.up.role !== Role.Follower).length;
      if (candidates > 1) collisions++;
    }
    expect(collisions / 300).toBeLessThan(0.2);
  });
});

describe('5.3 log replication', () => {
  // Reference: section 5.3, "The leader appends the command to its log as a new entry, then issues AppendEntries RPCs
  // in parallel to each of the other servers to replicate the entry."
  it('a proposal is appended and sent to all', () => {
    const s = lead();
    ackAll(s, 2);
    ackAll(s, 3);
    const sent = s.propose('a');
    expect(
      sent.map((m) => [m.kind, m.to, m.index, m.logTerm, m.entries.map((e) => [e.term, e.index, e.data.toString()])]),
    ).toEqual([
      [K.App, 2n, 1, 1, [[1, 2, 'a']]],
      [K.App, 3n, 1, 1, [[1, 2, 'a']]],
    ]);
  });

  // Reference: section 5.3, "A log entry is committed once the leader that created the entry has replicated it on a
  // majority of the servers ... the leader applies the entry to its state machine".
  it.each([
    [1, 0, true],
    [3, 0, false],
    [3, 1, true],
    [3, 2, true],
    [4, 1, false],
    [4, 2, true],
    [5, 1, false],
    [5, 2, true],
  ])('of %i members, %i have it beside the leader: committed %s', (size, acks, committed) => {
    const s = lead({ voters: Array.from({ length: size }, (_, i) => i + 1) });
    for (let id = 2; id < 2 + acks; id++) ackAll(s, id);
    expect(s.raft.commitIndex).toBe(committed ? 1 : 0);
    expect(s.applied.length).toBe(committed ? 1 : 0);
  });

  // Reference: section 5.3, "This also commits all preceding entries in the leader's log, including entries created by
  // previous leaders."
  it.each([[[]], [[2]], [[1, 2]], [[1]]])(
    'entries %j of earlier leaders are committed with its own',
    (log: number[]) => {
      const s = lead({ log, hardState: { term: 2 } });
      ackAll(s, 2);
      expect(s.applied.map((e) => e.term)).toEqual([...log, 3]);
    },
  );

  // Reference: section 5.3, "The leader keeps track of the highest index it knows to be committed, and it includes that
  // index in future AppendEntries RPCs ... Once a follower learns that a log entry is committed, it applies the entry".
  it('followers learn the commit index from appends and heartbeats', () => {
    const s = new Solo();
    s.step(K.App, 2, 1, { entries: entries([1, 1]) });
    expect(s.applied).toEqual([]);
    s.step(K.App, 2, 1, { index: 2, logTerm: 1, commit: 1 });
    expect(s.applied.map((e) => e.index)).toEqual([1]);
    s.step(K.Heartbeat, 2, 1, { commit: 2 });
    expect(s.applied.map((e) => e.index)).toEqual([1, 2]);
  });

  // Reference: figure 2, "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)":
  // what follows behind may differ from the leader's.
  it('nothing behind the last new entry is taken for committed', () => {
    const s = new Solo({ log: [1, 1, 1] });
    s.step(K.App, 2, 2, { index: 1, logTerm: 1, commit: 3 });
    expect(s.raft.commitIndex).toBe(1);
  });

  // Reference: section 5.3, "If the follower does not find an entry in its log with the same index and term, then it
  // refuses the new entries."
  it.each([
    [0, 0, false],
    [1, 1, false],
    [2, 2, false],
    [1, 2, true],
    [2, 1, true],
    [3, 3, true],
  ])('an append behind %i of term %i: refused %s', (index, logTerm, reject) => {
    const s = new Solo({ log: [1, 2], hardState: { term: 2 } });
    expect(s.step(K.App, 2, 2, { index, logTerm })[0]).toMatchObject({ kind: K.AppResp, reject });
  });

  // Reference: section 5.3 and figure 7, "the leader handles inconsistencies by forcing the followers' logs to
  // duplicate its own".
  const LEADER = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  it.each([
    ['a', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ['b', [1, 1, 1, 4]],
    ['c', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['d', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['e', [1, 1, 1, 4, 4, 4, 4]],
    ['f', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])('figure 7, follower %s ends with the leader log', (_, log) => {
    const c = new Cluster({ voters: [1, 2, 3], settings: { preVote: false } });
    for (const [id, terms] of [
      [1, LEADER],
      [2, log],
      [3, []],
    ] as const) {
      const m = c.get(id);
      m.crash();
      m.disk.entries = entries([...terms]);
      m.disk.hardState = { term: 7, vote: NONE, commit: 0 };
      m.start();
    }
    c.elect(1);
    const terms = (id: number) => c.get(id).disk.entries.map((e) => e.term);
    expect(terms(1)).toEqual([...LEADER, 8]);
    expect(terms(2)).toEqual(terms(1));
    expect(terms(3)).toEqual(terms(1));
  });

  // Reference: section 5.3, "a leader never overwrites or deletes entries in its own log" (Leader Append-Only).
  it('a leader keeps its entries', () => {
    const s = lead({ log: [1, 1, 2] });
    s.step(K.AppResp, 2, 3, { reject: true, index: 3, rejectHint: 1, logTerm: 1 });
    s.propose('a');
    expect(s.terms).toEqual([1, 1, 2, 3, 3]);
  });

  // Reference: section 5.3, "If followers crash or run slowly, or if network packets are lost, the leader retries
  // AppendEntries RPCs indefinitely".
  it('lost appends are sent again', () => {
    const c = new Cluster({ voters: [1, 2, 3] });
    c.elect(1);
    c.isolate(3);
    for (let i = 0; i < 5; i++) {
      c.propose(1, `p${i}`);
      c.tick(3);
    }
    c.heal();
    c.tick(2);
    expect(historyOf(c.get(3).machine)).toEqual(historyOf(c.get(1).machine));
  });
});

describe('5.4 safety', () => {
  // Reference: section 5.4.1, "the voter denies its vote if its own log is more up-to-date than that of the candidate.
  // ... the log with the later term is more up-to-date ... whichever log is longer".
  it.each([
    [[1], 1, 1, false],
    [[1], 1, 2, false],
    [[1], 2, 1, false],
    [[1, 1], 1, 2, false],
    [[2], 2, 1, false],
    [[1, 1], 1, 1, true],
    [[2], 1, 1, true],
    [[2], 1, 5, true],
    [[1, 2], 2, 1, true],
  ])('with a log of terms %j, asked by one that ends in term %i at %i: refuses %s', (log, logTerm, index, reject) => {
    const s = new Solo({ log, hardState: { term: 2 } });
    expect(s.step(K.Vote, 2, 3, { logTerm, index })[0]).toMatchObject({ kind: K.VoteResp, reject });
  });

  // Reference: section 5.4.2, "Only log entries from the leader's current term are committed by counting replicas".
  it.each([
    [1, 0],
    [2, 0],
    [3, 3],
  ])('having %i entries on a majority commits up to %i', (index, commit) => {
    const s = lead({ log: [1, 2] });
    s.step(K.AppResp, 2, 3, { index });
    expect(s.raft.commitIndex).toBe(commit);
  });
});

describe('5.5 crashes', () => {
  // Reference: section 5.5, "Raft RPCs are idempotent ... if a follower receives an AppendEntries request that includes
  // log entries already present in its log, it ignores those entries in the new request."
  it('doubled and late appends change nothing', () => {
    const s = new Solo();
    s.step(K.App, 2, 1, { entries: entries([1, 1, 1]) });
    const again = s.step(K.App, 2, 1, { entries: entries([1, 1]) });
    expect(again).toMatchObject([{ kind: K.AppResp, reject: false, index: 2 }]);
    expect(s.terms).toEqual([1, 1, 1]);
  });
});

describe('thesis 3.10 leadership transfer', () => {
  // Reference: thesis 3.10, "The prior leader sends a TimeoutNow request to the target server. This request has the same
  // effect as the target server's election timer firing".
  it('the target campaigns at once, whatever leases say', () => {
    const c = new Cluster({ voters: [1, 2, 3] });
    c.elect(1);
    expect(c.get(1).up.transferLeadership(3n)).toBe('started');
    c.get(1).pump();
    c.settle();
    expect(c.leader()?.id).toBe(3n);
    expect(c.get(3).up.term).toBe(2);
  });

  // Reference: thesis 3.10, "The prior leader stops accepting new client requests" and "If leadership transfer does not
  // complete after about an election timeout, the prior leader aborts the transfer and resumes accepting client requests."
  it('proposals stop until it is done or given up', () => {
    const s = lead({ checkQuorum: false });
    expect(s.raft.transferLeadership(2n)).toBe('started');
    expect(s.raft.propose([Buffer.from('a')])).toBe('dropped-transferring');
    s.tick(9);
    expect(s.raft.propose([Buffer.from('a')])).toBe('dropped-transferring');
    s.tick(1);
    expect(s.raft.propose([Buffer.from('a')])).toBe('accepted');
  });

  it('the target is told only when it has the whole log', () => {
    const s = lead();
    s.raft.transferLeadership(2n);
    s.pump();
    expect(kinds(s.sent)).not.toContain(K.TimeoutNow);
    expect(kinds(ackAll(s, 2))).toContain(K.TimeoutNow);
  });
});

describe('thesis 4 membership', () => {
  const change = (type: number, id: number) => ConfChange.make({ type, nodeId: BigInt(id) });

  // Reference: thesis 4.1, "only one server may be added or removed from the cluster at a time".
  it('one change is in flight at a time', () => {
    const s = lead();
    ackAll(s, 2);
    expect(s.raft.proposeConfChange(change(ConfChangeType.ADD_NODE, 4))).toBe('accepted');
    expect(s.raft.proposeConfChange(change(ConfChangeType.ADD_NODE, 5))).toBe('dropped-conf-pending');
  });

  // Reference: Ongaro on raft-dev, 2015 ("bug in single-server membership changes"): a leader must not append a new
  // configuration until it has committed an entry from its current term.
  it('no change before an entry of the own term is committed', () => {
    const s = lead({ log: [1] });
    expect(s.raft.proposeConfChange(change(ConfChangeType.ADD_NODE, 4))).toBe('dropped-term-not-committed');
    ackAll(s, 2);
    expect(s.raft.proposeConfChange(change(ConfChangeType.ADD_NODE, 4))).toBe('accepted');
  });

  // Reference: thesis 4.2.1, new servers join "as a non-voting member" first.
  it('learners are not counted, neither for commits nor for votes', () => {
    const s = new Solo({ learners: [4, 5] });
    s.raft.campaign();
    s.pump();
    s.step(K.VoteResp, 4, 1);
    s.step(K.VoteResp, 5, 1);
    expect(s.raft.isLeader).toBe(false);
    s.step(K.VoteResp, 2, 1);
    expect(s.raft.isLeader).toBe(true);
    ackAll(s, 4);
    ackAll(s, 5);
    expect(s.raft.commitIndex).toBe(0);
    ackAll(s, 3);
    expect(s.raft.commitIndex).toBe(1);
  });

  // Reference: thesis 4.2.2, a leader that is removed "steps down ... once the C_new entry is committed" and manages
  // the cluster without counting itself until then.
  it('a removed leader steps down, and the rest go on', () => {
    const c = new Cluster({ voters: [1, 2, 3] });
    c.elect(1);
    c.get(1).up.proposeConfChange(change(ConfChangeType.REMOVE_NODE, 1));
    c.settle();
    expect(c.get(1).up.isLeader).toBe(false);
    c.get(1).crash();
    c.tick(30);
    expect(c.leader()?.id).not.toBe(1n);
    expect(c.propose(Number(c.leader()?.id), 'after')).toBe('accepted');
    c.settle();
    expect(historyOf(c.get(2).machine)).toContain(`${c.leader()?.up.term}:after`);
    expect(c.get(3).machine.confState.voters).toEqual([2n, 3n]);
  });

  // Reference: thesis 4.2.3, "if a server receives a RequestVote request within the minimum election timeout of hearing
  // from a current leader, it does not update its term or grant its vote".
  it('a disruptive member is not heard while the leader lives', () => {
    const s = new Solo({ hardState: { term: 1 } });
    s.step(K.Heartbeat, 2, 1);
    expect(s.step(K.Vote, 3, 9, { index: 9, logTerm: 9 })).toEqual([]);
    expect(s.raft.term).toBe(1);
    s.tick(9);
    expect(s.step(K.Vote, 3, 9, { index: 9, logTerm: 9 })).toEqual([]);
    s.tick(1);
    expect(s.step(K.Vote, 3, 9, { index: 9, logTerm: 9 })[0]).toMatchObject({ kind: K.VoteResp, reject: false });
  });
});

describe('thesis 6 clients', () => {
  // Reference: thesis 6.2, "a leader steps down if an election timeout elapses without a successful round of heartbeats
  // to a majority of its cluster".
  it('a leader that hears no majority steps down', () => {
    const s = lead({ voters: [1, 2, 3, 4, 5] });
    const heard = (ids: number[]) => {
      for (let i = 0; i < 10; i++) {
        for (const id of ids) s.step(K.HeartbeatResp, id, 1);
        s.tick();
      }
    };
    heard([2, 3]);
    expect(s.raft.isLeader).toBe(true);
    heard([2]); // two of five with itself
    expect(s.raft.isLeader).toBe(false);
  });

  // Reference: thesis 6.4, steps 1 to 4 of the read-only protocol.
  it('a read waits for a round of heartbeats and carries the commit index of its arrival', () => {
    const s = lead();
    ackAll(s, 2);
    s.raft.readIndex(7);
    s.pump();
    const beats = s.sent.filter((m) => m.kind === K.Heartbeat);
    expect(beats.length).toBe(2);
    expect(s.reads).toEqual([]);
    s.propose('later');
    ackAll(s, 3);
    expect(s.reads).toEqual([]);
    s.step(K.HeartbeatResp, 2, 1, { context: beats[0]?.context ?? 0 });
    expect(s.reads).toEqual([{ ctx: 7, index: 1 }]);
  });

  // Reference: thesis 6.4, step 1: "If the leader has not yet marked an entry from its current term committed, it waits
  // until it has done so."
  it('a read waits for the first commit of the term', () => {
    const s = lead({ log: [1], hardState: { commit: 1 } });
    s.raft.readIndex(7);
    s.pump();
    for (const id of [2, 3]) s.step(K.HeartbeatResp, id, 2, { context: 0 });
    expect(s.reads).toEqual([]);
    s.sent = [];
    ackAll(s, 2);
    const round = s.sent.find((m) => m.kind === K.Heartbeat)?.context ?? 0;
    s.step(K.HeartbeatResp, 3, 2, { context: round });
    expect(s.reads).toEqual([{ ctx: 7, index: 2 }]);
  });
});

describe('thesis 9.6 pre-vote', () => {
  // Reference: thesis 9.6, "a candidate only increments its term if it first learns from a majority of the cluster that
  // they would be willing to grant the candidate their votes".
  it('the term rises only after a majority agreed', () => {
    const s = new Solo({ preVote: true, hardState: { term: 1 } });
    s.raft.campaign();
    s.pump();
    expect(s.raft.term).toBe(1);
    expect(s.sent.map((m) => [m.kind, m.term])).toEqual([
      [K.PreVote, 2],
      [K.PreVote, 2],
    ]);
    expect(s.step(K.PreVoteResp, 2, 2).map((m) => [m.kind, m.term])).toEqual([
      [K.Vote, 2],
      [K.Vote, 2],
    ]);
    expect(s.raft.term).toBe(2);
  });

  it('answering a pre-vote changes neither term nor vote', () => {
    const s = new Solo({ preVote: true, hardState: { term: 1 } });
    expect(s.step(K.PreVote, 2, 9)[0]).toMatchObject({ kind: K.PreVoteResp, reject: false, term: 9 });
    expect(s.step(K.PreVote, 3, 9)[0]).toMatchObject({ kind: K.PreVoteResp, reject: false, term: 9 });
    expect(s.raft.status()).toMatchObject({ term: 1, vote: NONE });
  });

  it('an answer to an earlier campaign is none to this one', () => {
    const s = new Solo({ preVote: true, hardState: { term: 1 } });
    s.raft.campaign();
    s.pump();
    s.step(K.App, 3, 4);
    s.raft.peerDown(3n);
    s.raft.campaign();
    s.pump();
    s.step(K.PreVoteResp, 2, 2);
    expect(s.raft.role).toBe(Role.PreCandidate);
    s.step(K.PreVoteResp, 2, 5);
    expect(s.raft.role).toBe(Role.Candidate);
  });
});

describe('thesis 10.2.1 writing to the disk in parallel', () => {
  // Reference: thesis 10.2.1, "the leader can replicate new log entries in parallel to writing them to its own disk ...
  // may even commit an entry before it has been written to the leader's disk, if a majority of followers have".
  it('entries leave before the disk has them, and commit by the followers alone', () => {
    const s = lead();
    ackAll(s, 2);
    ackAll(s, 3);
    s.raft.propose([Buffer.from('a')]);
    const rd = s.raft.ready();
    expect(rd.messages.map((m) => m.kind)).toEqual([K.App, K.App]);
    expect(rd.messagesAfterPersist).toEqual([]);
    expect(rd.mustSync).toBe(true);
    for (const id of [2n, 3n]) {
      s.raft.step(Object.assign(new Message(K.AppResp, 1n, id, s.raft.term), { index: s.raft.lastIndex }));
    }
    expect(s.raft.commitIndex).toBe(2);
    expect(s.raft.ready().committedEntries).toEqual([]);
    s.raft.persisted(rd.token);
    expect(s.raft.ready().committedEntries.map((e) => e.index)).toEqual([2]);
  });
});
