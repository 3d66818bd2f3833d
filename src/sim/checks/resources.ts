/** What is looked at of a member (server/figures.ts). */
export interface Held {
  readonly name: string;
  readonly watchStreams: number;
  readonly watchers: number;
  readonly proposalsPending: number;
  /** Timers, and what else is scheduled for its process. */
  readonly events: number;
  readonly connections: number;
}

export interface Limits {
  /** Of all members together. */
  readonly streams: number;
  readonly watchers: number;
  /** Of each. */
  readonly connections: number;
  readonly events: number;
}

/**
 * I16, once nobody asks for anything any more: all members together hold no more watch streams and watchers than there are
 * clients with one; no member waits for a proposal, and its timers and connections are a handful. What was left behind by
 * connections that broke, moves and restarts would add up here.
 * @returns what is too much, for a report
 */
export function leftBehind(members: readonly Held[], limits: Limits): string | null {
  const text = (what: 'watchStreams' | 'watchers'): string =>
    members.map((member) => `${member[what]} at ${member.name}`).join(', ');
  const sum = (what: 'watchStreams' | 'watchers'): number => members.reduce((n, member) => n + member[what], 0);
  if (sum('watchStreams') > limits.streams) {
    return `${text('watchStreams')}: ${limits.streams} clients can have a watch stream`;
  }
  if (sum('watchers') > limits.watchers) return `${text('watchers')}: there are ${limits.watchers} watches`;
  const holder = members.find((member) => member.proposalsPending > 0);
  if (holder !== undefined) return `${holder.name} holds ${holder.proposalsPending} proposals, and nobody has any`;
  for (const { name, connections, events } of members) {
    if (connections > limits.connections) return `${name} holds ${connections} connections, not ${limits.connections}`;
    if (events > limits.events) return `${name} waits for ${events} timers and events, not ${limits.events}`;
  }
  return null;
}
