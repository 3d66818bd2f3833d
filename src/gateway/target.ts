/** What a request line asks for. */
export interface Target {
  /** Percent-decoded. */
  readonly path: string;
  readonly query: string;
}

/** @param target a path with its query, or a whole URL as proxies get them; null: it is no such thing */
export function parseTarget(target: string): Target | null {
  const rest = target.replace(/^https?:\/\/[^/?#]*/i, '');
  const mark = rest.indexOf('?');
  const raw = mark < 0 ? rest : rest.slice(0, mark);
  try {
    return { path: decodeURIComponent(raw), query: mark < 0 ? '' : rest.slice(mark + 1) };
  } catch {
    return null;
  }
}

/**
 * A path without empty, `.` and `..` elements, as Go's multiplexer wants to be asked: it sends who asks otherwise to the
 * clean one.
 */
export function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  const clean = `/${kept.join('/')}`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

/** A path as it stands in a Location: nothing that a browser would read as a host. */
export function encodePath(path: string): string {
  return encodeURI(path).replace(/[?#\\]/g, encodeURIComponent);
}
