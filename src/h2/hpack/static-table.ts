import { Field } from './field.js';

/** RFC 7541 appendix A, from index 1: name, or name=value. */
const ENTRIES = `:authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|
:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|
accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|
content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|
cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|
last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|
server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate`;

export const STATIC_TABLE: readonly Field[] = ENTRIES.replaceAll('\n', '')
  .split('|')
  .map((entry) => {
    const [, name, value = ''] = /^(:?[^=]*)(?:=(.*))?$/.exec(entry) as unknown as [string, string, string?];
    return new Field(name, value);
  });

/** Entries of the static table; dynamic indexes follow. */
export const STATIC_COUNT = STATIC_TABLE.length;

const byName = new Map<string, number>();
const byField = new Map<string, number>();
STATIC_TABLE.forEach(({ name, value }, i) => {
  if (!byName.has(name)) byName.set(name, i + 1);
  byField.set(`${name}\n${value}`, i + 1);
});

/** Index of a field; 0: it is not there. */
export function staticIndex(name: string, value: string): number {
  return byField.get(`${name}\n${value}`) ?? 0;
}

/** Index of the first field of a name; 0: there is none. */
export function staticNameIndex(name: string): number {
  return byName.get(name) ?? 0;
}
