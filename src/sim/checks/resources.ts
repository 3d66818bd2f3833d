/** What is looked at of a member (server/figures.ts). */
export interface Held {
  readonly name: string;
  readonly watchStreams: number;
  readonly watchers: number;
}

/**
 * I16, once nobody asks for anything any more: all members together hold no more watch streams and watchers than there are
 * clients with one. What was left behind by connections that broke, moves and restarts would add up here.
 * @returns what is too much, for a report
 */
export function leftBehind(members: readonly Held[], clients: { streams: number; watchers: number }): string | null {
  const text = (what: 'watchStreams' | 'watchers'): string =>
    members.map((member) => `${member[what]} at ${member.name}`).join(', ');
  const sum = (what: 'watchStreams' | 'watchers'): number => members.reduce((n, member) => n + member[what], 0);
  if (sum('watchStreams') > clients.streams) {
    return `${text('watchStreams')}: ${clients.streams} clients can have a watch stream`;
  }
  if (sum('watchers') > clients.watchers) return `${text('watchers')}: there are ${clients.watchers} watches`;
  return null;
}
