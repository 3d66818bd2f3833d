import type { AlarmMember, Completion, Member } from '../../server/index.js';
import type { Rng } from '../../util/rng.js';
import { AlarmAction, AlarmType, CompactionRequest } from '../../wire/index.js';
import { AS_ROOT } from '../caller.js';
import type { Violation } from '../checkers/index.js';
import type { SimNode } from '../node.js';
import type { ClientKind, SimClient } from './client-kinds.js';
import type { Workload } from './workload.js';
import { pickNode } from './workload.js';

const CALL_MS = 8000;
const LOOK_MS = 400;
/** A member that there is not: what it is said to suffer from was said by a caretaker. */
const NOBODY = 666n;

/**
 * Somebody who looks after the cluster: defragments, asks for hashes, raises alarms and ends them, and makes room when
 * there is none (compact, defragment, disarm), as an operator does. What alarms refuse, the model of the log knows.
 */
class Caretaker implements SimClient {
  readonly #work: Workload;
  readonly #rng: Rng;
  readonly #violations: Violation[] = [];
  #busy = false;

  constructor(work: Workload, rng: Rng) {
    this.#work = work;
    this.#rng = rng;
  }

  start(): void {
    this.#pause();
    this.#watch();
  }

  #pause(): void {
    this.#work.port.later(this.#rng.pick([20, 300, 1500, 4000]) * this.#rng.between(500, 1500), () => {
      if (!this.#work.stopping) this.#next();
    });
  }

  #next(): void {
    const dice = this.#rng.below(10);
    const node = pickNode(this.#work, this.#rng);
    if (this.#raised(node).length > 0 && dice < 8) return this.#makeRoom(() => this.#pause());
    if (dice < 5)
      return this.#call(
        node,
        (member, done) => member.defragment(done),
        () => this.#pause(),
      );
    if (dice < 7)
      return this.#call(
        node,
        (member, done) => member.hash(done as never),
        () => this.#pause(),
      );
    const alarm = dice < 9 ? AlarmType.NOSPACE : AlarmType.CORRUPT;
    this.#alarm(node, AlarmAction.ACTIVATE, { memberId: NOBODY, alarm }, () => this.#pause());
  }

  /** Compact, defragment everywhere, disarm. */
  #makeRoom(over: () => void): void {
    const node = pickNode(this.#work, this.#rng);
    const revision = this.#work.seenRevision;
    const req = { revision, physical: this.#rng.chance(1, 2) };
    const body = CompactionRequest.encode(req);
    this.#call(
      node,
      (member, done) => member.compact(req, body, AS_ROOT, done as never),
      () => {
        let left = this.#work.cluster.nodes.length;
        for (const other of this.#work.cluster.nodes) {
          const next = (): void => {
            if (--left === 0) this.#disarm(over);
          };
          this.#call(other, (member, done) => member.defragment(done), next);
        }
      },
    );
  }

  #disarm(over: () => void): void {
    const node = pickNode(this.#work, this.#rng);
    const [first] = this.#raised(node);
    if (first === undefined) return over();
    this.#alarm(node, AlarmAction.DEACTIVATE, first, over);
  }

  #raised(node: SimNode): readonly AlarmMember[] {
    return node.ready ? (node.member?.alarms() ?? []) : [];
  }

  #alarm(node: SimNode, action: number, { memberId, alarm }: AlarmMember, over: () => void): void {
    const req = { action, memberId, alarm };
    this.#call(node, (member, done) => member.alarm(req, AS_ROOT, done as never), over);
  }

  #call(node: SimNode, send: (member: Member, done: Completion<void>) => void, over: () => void): void {
    this.#work.port.call<void>(node, CALL_MS, send, { ok: over, fail: over, lost: over });
  }

  /** Nobody but us may find the data corrupt: it is not, unless a fault has made it so. */
  #watch(): void {
    if (!this.#work.cluster.skewed) this.#falseAlarms();
    // An expired lease cannot end while the data is said to be corrupt, nor can who waits for that.
    if (this.#work.stopping) this.waitsFor();
    this.#work.port.later(LOOK_MS * 1000, () => this.#watch());
  }

  #falseAlarms(): void {
    for (const member of this.#work.cluster.members()) {
      const found = member.alarms().find(({ alarm, memberId }) => alarm === AlarmType.CORRUPT && memberId !== NOBODY);
      if (found === undefined || this.#violations.length > 0) continue;
      this.#report('I11 false alarm', `CORRUPT was raised for member ${found.memberId.toString(16)}`);
    }
  }

  #report(rule: string, message: string): void {
    this.#violations.push({ rule, message, ops: [], revisions: [] });
  }

  waitsFor(): string | null {
    const active = this.#work.cluster.members().flatMap((member) => member.alarms());
    if (active.length === 0 && !this.#busy) return null;
    if (!this.#busy) {
      this.#busy = true;
      this.#disarm(() => {
        this.#busy = false;
      });
    }
    return `${active.length} alarms are active`;
  }

  violations(): readonly Violation[] {
    return this.#violations;
  }
}

export const caretakers: ClientKind = {
  name: 'caretakers',
  draw: (rng) => (rng.chance(2, 3) ? 1 : 0),
  make: (work, _id, rng) => new Caretaker(work, rng),
};
