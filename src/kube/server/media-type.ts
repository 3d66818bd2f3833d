/** Media types of Accept and Content-Type (RFC 9110 section 12.5.1), as far as an API server needs them. */

export interface MediaType {
  /** `application/json`, lower case, without parameters. */
  readonly type: string;
  readonly params: ReadonlyMap<string, string>;
  /** 0 to 1. */
  readonly quality: number;
}

export function parseMediaType(text: string): MediaType {
  const [type = '', ...rest] = text.split(';');
  const params = new Map<string, string>();
  let quality = 1;
  for (const part of rest) {
    const eq = part.indexOf('=');
    const name = (eq < 0 ? part : part.slice(0, eq)).trim().toLowerCase();
    const value =
      eq < 0
        ? ''
        : part
            .slice(eq + 1)
            .trim()
            .replace(/^"(.*)"$/, '$1');
    if (name === 'q') quality = Number(value);
    else if (name !== '') params.set(name, value);
  }
  return { type: type.trim().toLowerCase(), params, quality: Number.isFinite(quality) ? quality : 0 };
}

/** Best first; those of one quality stay in the client's order. Ranges with q=0 are left out. */
export function parseAccept(header: string): MediaType[] {
  const types = header
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(parseMediaType)
    .filter((type) => type.quality > 0);
  // Nearly every client sends one order and no q.
  return types.some((type) => type.quality !== 1) ? types.sort((a, b) => b.quality - a.quality) : types;
}
