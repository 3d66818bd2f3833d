import { JsonError } from './json-error.js';

export interface Token {
  /** `{ } [ ]` are themselves; `"` a string, `0` a number, `t` true or false, `n` null, '' the end. */
  readonly kind: '{' | '}' | '[' | ']' | '"' | '0' | 't' | 'n' | '';
  /** Offset of its first byte. */
  readonly at: number;
  /** As it stands. */
  readonly raw: string;
  /** Of a string. */
  readonly text: string;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN = /[^"\\]*/y;
const SKIPPED = /[\s,:]*/y;
const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * The tokens of one value that is known to be JSON. Strings are checked as protojson checks them, which is stricter
 * than encoding/json: they must be UTF-8, and surrogates must come in pairs.
 */
export class Tokens {
  readonly #bytes: Buffer;
  /** One char a byte. */
  readonly #chars: string;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#chars = bytes.toString('latin1');
  }

  /** The kind of the next token, which is not taken. */
  peek(): Token['kind'] {
    this.#at = endOf(SKIPPED, this.#chars, this.#at);
    const c = this.#chars.charAt(this.#at);
    if (c === 't' || c === 'f') return 't';
    return c === '-' || (c >= '0' && c <= '9') ? '0' : (c as Token['kind']);
  }

  /** @throws JsonError for a string that is none */
  next(): Token {
    const kind = this.peek();
    const at = this.#at;
    if (kind === '"') return this.#string(at);
    if (kind === '0') this.#at = endOf(NUMBER, this.#chars, at);
    else if (kind === 't') this.#at += this.#chars.charAt(at) === 't' ? 4 : 5;
    else if (kind === 'n') this.#at += 4;
    else if (kind !== '') this.#at++;
    return { kind, at, raw: this.#chars.slice(at, this.#at), text: '' };
  }

  /** Passes over one value. @throws JsonError */
  skip(): void {
    let depth = 0;
    do {
      const { kind } = this.next();
      if (kind === '{' || kind === '[') depth++;
      else if (kind === '}' || kind === ']') depth--;
    } while (depth > 0);
  }

  /** `(line 1:8)`: both from 1, columns in characters. */
  position(at: number): string {
    const before = this.#chars.slice(0, at);
    const line = before.split('\n').length;
    const from = before.lastIndexOf('\n') + 1;
    return `(line ${line}:${[...this.#bytes.toString('utf8', from, at)].length + 1})`;
  }

  syntaxError(at: number, text: string): JsonError {
    return new JsonError(`proto: syntax error ${this.position(at)}: ${text}`);
  }

  #string(at: number): Token {
    const chars = this.#chars;
    let from = at + 1;
    let text = '';
    for (;;) {
      const end = endOf(PLAIN, chars, from);
      text += this.#utf8(at, from, end);
      if (chars.charAt(end) === '"') {
        this.#at = end + 1;
        return { kind: '"', at, raw: this.#bytes.toString('utf8', at, end + 1), text };
      }
      const letter = chars.charAt(end + 1);
      if (letter === 'u') {
        const unit = Number.parseInt(chars.slice(end + 2, end + 6), 16);
        from = end + 6;
        if (unit < 0xd800 || unit > 0xdfff) {
          text += String.fromCharCode(unit);
          continue;
        }
        text += this.#pair(at, unit, from);
        from += 6;
      } else {
        text += ESCAPED[letter] ?? letter;
        from = end + 2;
      }
    }
  }

  /** The second half of a pair of surrogates must follow the first. */
  #pair(at: number, first: number, from: number): string {
    const second = this.#chars.slice(from, from + 6);
    if (second.length < 6) throw new JsonError('proto: unexpected EOF');
    const unit = /^\\u[0-9a-fA-F]{4}$/.test(second) ? Number.parseInt(second.slice(2), 16) : 0;
    if (first > 0xdbff || unit < 0xdc00 || unit > 0xdfff) {
      throw this.syntaxError(at, `invalid escape code ${JSON.stringify(second)} in string`);
    }
    return String.fromCharCode(first, unit);
  }

  #utf8(at: number, from: number, end: number): string {
    const plain = this.#chars.slice(from, end);
    if (!HIGH.test(plain)) return plain;
    const text = this.#bytes.toString('utf8', from, end);
    if (text.includes('\ufffd') && !Buffer.from(text).equals(this.#bytes.subarray(from, end))) {
      throw this.syntaxError(at, 'invalid UTF-8 in string');
    }
    return text;
  }
}

const HIGH = /[^\0-\x7f]/;

function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  pattern.test(text);
  return pattern.lastIndex;
}
