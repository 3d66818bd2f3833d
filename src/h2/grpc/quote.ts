const NAMED: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** A header's value, one char a byte, as Go's %q writes it. */
export function quote(value: string): string {
  // Go reads the bytes as UTF-8 and shows what is not by number.
  const text = Buffer.from(value, 'latin1').toString('utf8');
  let out = '"';
  for (const char of text.includes('\ufffd') ? value : text) {
    const code = char.codePointAt(0)!;
    const printable = code >= 0x20 && code !== 0x7f && (code < 0x80 || text !== value);
    out += NAMED[char] ?? (printable ? char : `\\x${code.toString(16).padStart(2, '0')}`);
  }
  return `${out}"`;
}
