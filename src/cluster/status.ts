import { KeelClient } from '../client/index.js';
import type { ClusterConfig, ClusterMember } from './cluster-config.js';
import type { ProcessState } from './member-process.js';

export interface MemberStatus {
  readonly name: string;
  readonly state: ProcessState | 'unreachable';
  readonly leads: boolean;
  readonly term: number;
  readonly revision: number;
  readonly raftIndex: number;
  readonly appliedIndex: number;
}

const TIMEOUT_MS = 1000;

/** Asks members how they are; keeps a client each. */
export class StatusProbe {
  readonly #clients = new Map<string, KeelClient>();
  readonly #config: ClusterConfig;

  constructor(config: ClusterConfig) {
    this.#config = config;
  }

  async all(stateOf: (name: string) => ProcessState): Promise<MemberStatus[]> {
    return await Promise.all(this.#config.members.map((member) => this.#one(member, stateOf(member.name))));
  }

  async #one(member: ClusterMember, state: ProcessState): Promise<MemberStatus> {
    const none = { name: member.name, leads: false, term: 0, revision: 0, raftIndex: 0, appliedIndex: 0 };
    if (state !== 'up') return { ...none, state };
    try {
      const status = await this.#client(member).maintenance.status(member.clientUrls[0] as string, {
        timeoutMs: TIMEOUT_MS,
      });
      return {
        name: member.name,
        state,
        leads: status.leader !== 0n && status.leader === status.header?.memberId,
        term: status.raftTerm,
        revision: status.header?.revision ?? 0,
        raftIndex: status.raftIndex,
        appliedIndex: status.raftAppliedIndex,
      };
    } catch {
      return { ...none, state: 'unreachable' }; // what it says is in its log
    }
  }

  #client(member: ClusterMember): KeelClient {
    let client = this.#clients.get(member.name);
    if (client === undefined) {
      client = new KeelClient({ endpoints: [...member.clientUrls] });
      this.#clients.set(member.name, client);
    }
    return client;
  }

  close(): void {
    for (const client of this.#clients.values()) void client.close();
    this.#clients.clear();
  }
}

/** `leader infra1, term 2, revision 7 | infra2 lag 0 | infra3 down` */
export function statusLine(all: readonly MemberStatus[]): string {
  const leader = all.find((member) => member.leads);
  const parts = [
    leader === undefined ? 'no leader' : `leader ${leader.name}, term ${leader.term}, revision ${leader.revision}`,
  ];
  for (const member of all) {
    if (member === leader) continue;
    if (member.state !== 'up') parts.push(`${member.name} ${member.state}`);
    else if (leader === undefined) parts.push(`${member.name} up`);
    else parts.push(`${member.name} lag ${Math.max(0, leader.raftIndex - member.appliedIndex)}`);
  }
  return parts.join(' | ');
}
