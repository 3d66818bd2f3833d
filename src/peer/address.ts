/** host:port of a peer URL, with `tls://` in front if it is https; null if the URL is none that a member can dial. */
export function addressOf(url: string): string | null {
  const match = /^http(s?):\/\/(\[[0-9a-fA-F:.]+\]|[^/:[\]]+):(\d{1,5})\/?$/.exec(url);
  return match === null ? null : `${match[1] === 's' ? 'tls://' : ''}${match[2]}:${match[3]}`;
}
