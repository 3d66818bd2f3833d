const PLAIN = /^[ -$&-~]*$/;

/** Escapes a text for grpc-message: what is not visible ASCII, and `%`, byte by byte of its UTF-8. */
export function percentEncode(text: string): string {
  if (PLAIN.test(text)) return text;
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    if (byte >= 0x20 && byte < 0x7f && byte !== 0x25) out += String.fromCharCode(byte);
    else out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
