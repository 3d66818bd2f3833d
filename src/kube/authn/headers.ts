/** Headers of a request as authentication reads them. The server hands over each value apart (`headersDistinct`). */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Every value of a repeated header. */
export function valuesOf(headers: Headers, name: string): readonly string[] {
  const value = headers[name];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

export function firstOf(headers: Headers, name: string): string {
  return valuesOf(headers, name)[0] ?? '';
}

/** What follows `prefix` in header names is a key of its own, percent-encoded: `x-remote-extra-acme%2fproject`. */
export function prefixed(headers: Headers, prefix: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(prefix) || name.length === prefix.length) continue;
    const key = unescaped(name.slice(prefix.length)).toLowerCase();
    found[key] = [...(found[key] ?? []), ...valuesOf(headers, name)];
  }
  return found;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not an escape after all
  }
}
