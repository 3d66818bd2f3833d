import { ConfChange, ConfChangeType } from '../../../src/raft/index.js';
import type { Settings } from './member.js';
import { printMessage } from './print.js';
import type { Command, Script } from './script.js';

type Verb = (s: Script, c: Command) => void;

/**
 * What scripts can say. N is a member; FILTER is `TO from=N type=App n=1`, all of it optional.
 *
 *   nodes N... [learner=N] [prevote=off] [noprevote=N] [checkquorum=off] [election=10] [heartbeat=1]
 *         [maxappend=BYTES] [window=MESSAGES] [uncommitted=BYTES] [page=BYTES] [mutant=NAME]
 *   join N                      a member with an empty disk starts
 *   campaign N, elect N         elect settles too, and says nothing
 *   tick N [times=1]
 *   propose N DATA...
 *   conf N add=M | learner=M | remove=M | update=M
 *   read N ctx=C
 *   notices N hold | free | now
 *   waits N of=M
 *   transfer N to=M
 *   peerdown N of=M, unreachable N of=M
 *   deliver FILTER, drop FILTER, duplicate FILTER, reverse FILTER, queue
 *   settle                      delivers all, and all that comes of it
 *   hold N, resume N            writes of N wait for `persist N [n=1]`
 *   stall N, unstall N          committed entries wait for `apply N [n=1]`
 *   crash N [keep=WRITES] [torn=ENTRIES], restart N
 *   rot N left=INDEX            restarts without the entries after INDEX, and knows that it lost some
 *   cut N M, isolate N, heal
 *   compact N at=INDEX, flush N, snapshots N on|off, misreport on|off
 *   status [N...], progress N, log [N...], machine [N...]
 *   quiet VERB ...              the same without output
 */
export const VERBS: Record<string, Verb> = {
  nodes(s, c) {
    const settings: Settings = {
      preVote: c.text('prevote') !== 'off' && c.text('checkquorum') !== 'off',
      checkQuorum: c.text('checkquorum') !== 'off',
      electionTicks: c.number('election', 10),
      heartbeatTicks: c.number('heartbeat', 1),
      maxAppendBytes: c.number('maxappend', 1024 * 1024),
      maxInflightMessages: c.number('window', 512),
      maxUncommittedBytes: c.number('uncommitted', 1024 * 1024),
      maxCommittedBytesPerReady: c.number('page', 1024 * 1024),
      mutants: new Set(c.has('mutant') ? [c.text('mutant') as string] : []),
    };
    const learner = c.number('learner', 0);
    const odd = c.number('noprevote', 0);
    s.start(
      c.words.map(Number),
      learner > 0 ? [learner] : [],
      settings,
      new Map([[odd, { ...settings, preVote: false }]]),
    );
  },

  join(s, c) {
    s.cluster.add(c.id());
  },

  campaign(s, c) {
    s.cluster.get(c.id()).up.campaign();
    s.pump();
  },

  elect(s, c) {
    s.run(`quiet campaign ${c.id()}`);
    s.run('quiet settle');
    s.printStatus(s.cluster.get(c.id()));
  },

  tick(s, c) {
    const m = s.cluster.get(c.id());
    for (let i = c.number('times', 1); i > 0; i--) m.up.tick();
    s.pump();
  },

  propose(s, c) {
    const result = s.cluster.get(c.id()).up.propose(c.words.slice(1).map((w) => Buffer.from(w)));
    if (result !== 'accepted') s.say(result);
    s.pump();
  },

  conf(s, c) {
    const types = {
      add: ConfChangeType.ADD_NODE,
      learner: ConfChangeType.ADD_LEARNER_NODE,
      remove: ConfChangeType.REMOVE_NODE,
      update: ConfChangeType.UPDATE_NODE,
    };
    for (const [name, type] of Object.entries(types)) {
      if (!c.has(name)) continue;
      const cc = ConfChange.make({ id: 1n, type, nodeId: BigInt(c.number(name, 0)) });
      const result = s.cluster.get(c.id()).up.proposeConfChange(cc);
      if (result !== 'accepted') s.say(result);
    }
    s.pump();
  },

  read(s, c) {
    const result = s.cluster.get(c.id()).up.readIndex(c.number('ctx', 1));
    if (result !== 'accepted') s.say(result);
    s.pump();
  },

  notices(s, c) {
    const raft = s.cluster.get(c.id()).up;
    const what = c.words[1];
    if (what === 'now') raft.sendNotices();
    else raft.holdNotices(what === 'hold');
    s.pump();
  },

  waits(s, c) {
    s.cluster.get(c.id()).up.waits(BigInt(c.number('of', 0)));
    s.pump();
  },

  transfer(s, c) {
    const result = s.cluster.get(c.id()).up.transferLeadership(BigInt(c.number('to', 0)));
    if (result !== 'started') s.say(result);
    s.pump();
  },

  peerdown(s, c) {
    s.cluster.get(c.id()).up.peerDown(BigInt(c.number('of', 0)));
    s.pump();
  },

  unreachable(s, c) {
    s.cluster.get(c.id()).up.reportUnreachable(BigInt(c.number('of', 0)));
    s.pump();
  },

  deliver(s, c) {
    s.arrive(s.take(c));
  },

  drop(s, c) {
    for (const p of s.take(c)) {
      s.say(`lost: ${printMessage(p.message)}`);
      s.cluster.lost(p);
    }
    s.pump();
  },

  duplicate(s, c) {
    const taken = s.take(c);
    s.cluster.packets.push(...taken, ...taken);
  },

  reverse(s, c) {
    const taken = s.take(c).reverse();
    s.cluster.packets.push(...taken);
  },

  queue(s) {
    for (const p of s.cluster.packets) s.say(printMessage(p.message));
  },

  settle(s) {
    for (let i = 0; s.cluster.packets.length > 0; i++) {
      if (i > 1000) throw new Error('does not settle');
      s.arrive(s.cluster.packets.splice(0));
    }
  },

  hold(s, c) {
    s.cluster.get(c.id()).autoPersist = false;
  },

  resume(s, c) {
    s.cluster.get(c.id()).autoPersist = true;
    s.pump();
  },

  persist(s, c) {
    if (!s.cluster.get(c.id()).persist(c.number('n', Number.MAX_SAFE_INTEGER))) s.say('nothing to persist');
    s.pump();
  },

  stall(s, c) {
    s.cluster.get(c.id()).autoApply = false;
  },

  unstall(s, c) {
    s.cluster.get(c.id()).autoApply = true;
    s.pump();
  },

  apply(s, c) {
    if (!s.cluster.get(c.id()).apply(c.number('n', Number.MAX_SAFE_INTEGER))) s.say('nothing to apply');
    s.pump();
  },

  crash(s, c) {
    s.cluster.get(c.id()).crash(c.number('keep', 0), c.number('torn', 0));
  },

  restart(s, c) {
    s.cluster.get(c.id()).start();
  },

  rot(s, c) {
    const m = s.cluster.get(c.id());
    m.crash();
    m.disk.entries = m.disk.entries.slice(0, c.number('left', 0) - m.disk.offset);
    m.disk.lost = true;
    m.start();
  },

  cut(s, c) {
    s.cluster.cut.add(`${c.id(0)}>${c.id(1)}`);
    s.cluster.cut.add(`${c.id(1)}>${c.id(0)}`);
  },

  isolate(s, c) {
    s.cluster.isolate(c.id());
  },

  heal(s) {
    s.cluster.heal();
  },

  compact(s, c) {
    s.cluster.get(c.id()).compact(c.number('at', 0));
    s.pump();
  },

  flush(s, c) {
    s.cluster.get(c.id()).flush();
  },

  snapshots(s, c) {
    s.cluster.get(c.id()).hasSnapshots = c.words[1] === 'on';
  },

  misreport(s, c) {
    s.cluster.misreports = c.words[0] === 'on';
  },

  status(s, c) {
    for (const m of s.members(c)) s.printStatus(m);
  },

  progress(s, c) {
    s.printProgress(s.cluster.get(c.id()));
  },

  log(s, c) {
    for (const m of s.members(c)) s.printLog(m);
  },

  machine(s, c) {
    for (const m of s.members(c)) s.printMachine(m);
  },
};
