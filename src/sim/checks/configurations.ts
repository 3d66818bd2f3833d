import { ConfChange, ConfChangeType } from '../../wire/index.js';

/** Members of a run at most that are learners at a time: the servers' default. */
const LEARNERS_MAX = 1;

interface Known {
  readonly url: string;
  readonly isLearner: boolean;
}

/**
 * I14: who must be a member after each committed configuration change, by etcd's rules (etcd semantics §6, "at apply").
 * It shares nothing with the servers' own tables, of which there are two: the members, and raft's voters and learners.
 */
export class Configurations {
  readonly #members = new Map<bigint, Known>();
  readonly #removed = new Set<bigint>();
  /** Indexes of the changes, ascending, and what the configuration is from each of them on. */
  readonly #indexes: number[] = [0];
  readonly #texts: string[] = [''];

  /** The next change that was committed. @returns what is wrong with it, or null */
  apply(index: number, data: Buffer): string | null {
    const before = this.#voters();
    const change = ConfChange.decode(data);
    const context = change.context.length === 0 ? {} : parse(change.context.toString());
    const url = context.peerURLs?.[0] ?? '';
    const id = change.nodeId;
    const known = this.#members.get(id);
    const taken = [...this.#members].some(([other, member]) => other !== id && member.url === url);
    if (!this.#removed.has(id)) {
      switch (change.type) {
        case ConfChangeType.REMOVE_NODE:
          if (this.#members.delete(id)) this.#removed.add(id);
          break;
        case ConfChangeType.UPDATE_NODE:
          if (known !== undefined && !taken) this.#members.set(id, { ...known, url });
          break;
        default: {
          const isLearner = change.type === ConfChangeType.ADD_LEARNER_NODE;
          if (context.isPromote === true) {
            if (known?.isLearner === true) this.#members.set(id, { ...known, isLearner: false });
          } else if (known === undefined && !taken && !(isLearner && this.#learners() >= LEARNERS_MAX)) {
            this.#members.set(id, { url, isLearner });
          }
        }
      }
    }
    this.#indexes.push(index);
    this.#texts.push(
      configurationText([...this.#members].map(([member, { isLearner }]) => ({ id: member, isLearner }))),
    );
    const after = this.#voters();
    const changed =
      before.filter((voter) => !after.includes(voter)).length + after.filter((v) => !before.includes(v)).length;
    return changed <= 1 ? null : `the change at ${index} makes ${after.join(' ')} of the voters ${before.join(' ')}`;
  }

  isRemoved(id: bigint): boolean {
    return this.#removed.has(id);
  }

  /** The configuration of a state at this index. */
  at(index: number): string {
    let i = this.#indexes.length - 1;
    while ((this.#indexes[i] as number) > index) i--;
    return this.#texts[i] as string;
  }

  #learners(): number {
    return [...this.#members.values()].filter((member) => member.isLearner).length;
  }

  #voters(): bigint[] {
    return [...this.#members].flatMap(([id, { isLearner }]) => (isLearner ? [] : [id]));
  }
}

export function configurationText(members: readonly { readonly id: bigint; readonly isLearner: boolean }[]): string {
  return members
    .map(({ id, isLearner }) => `${isLearner ? 'learner' : 'voter'} ${id.toString(16)}`)
    .sort()
    .join(', ');
}

function parse(json: string): { peerURLs?: string[]; isPromote?: boolean } {
  return JSON.parse(json.replace(/"id"\s*:\s*\d+/, '"id":0')) as { peerURLs?: string[]; isPromote?: boolean };
}
