/** host:port of a peer URL; null if the URL is none that a member can dial. */
export function addressOf(url: string): string | null {
  const match = /^https?:\/\/(\[[0-9a-fA-F:.]+\]|[^/:[\]]+):(\d{1,5})\/?$/.exec(url);
  return match === null ? null : `${match[1]}:${match[2]}`;
}
