/**
 * Peer URLs as a client asks for them: scheme http or https with host:port and no path, or a unix socket (semantics 6).
 * @returns them sorted, or null if one is no such URL or there is none
 */
export function checkPeerUrls(urls: readonly string[]): string[] | null {
  if (urls.length === 0) return null;
  const checked: string[] = [];
  for (const url of urls) {
    const trimmed = url.trim();
    if (!isPeerUrl(trimmed)) return null;
    checked.push(trimmed);
  }
  return checked.sort();
}

function isPeerUrl(url: string): boolean {
  const match = /^([a-z]+):\/\/(.*)$/i.exec(url);
  const scheme = match?.[1]?.toLowerCase();
  const rest = match?.[2] ?? '';
  if (scheme === 'unix' || scheme === 'unixs') return true;
  if (scheme !== 'http' && scheme !== 'https') return false;
  return /^(\[[0-9a-f:.%]*\]|[^[\]:/?#\s]*):[^[\]:/\s]*$/i.test(rest);
}
