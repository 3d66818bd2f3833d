/** What a body has next. */
export type Piece =
  | { readonly kind: 'value'; readonly bytes: Buffer }
  /** Not all of it has come. */
  | { readonly kind: 'more' }
  /** The body has ended, between two values. */
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly text: string };

/** Objects and arrays within each other, as Go's decoder bounds them. */
const NESTING_MAX = 10_000;

const State = {
  BEGIN: 0,
  BEGIN_OR_ARRAY_END: 1,
  KEY_OR_OBJECT_END: 2,
  KEY: 3,
  COLON: 4,
  AFTER_VALUE: 5,
  STRING: 6,
  ESCAPE: 7,
  HEX: 8,
  MINUS: 9,
  ZERO: 10,
  DIGITS: 11,
  POINT: 12,
  FRACTION: 13,
  EXPONENT: 14,
  EXPONENT_SIGN: 15,
  EXPONENT_DIGITS: 16,
  LITERAL: 17,
} as const;
type State = (typeof State)[keyof typeof State];

/** Where the scanner is: within an array, or an object's key or value. */
const Inside = { ARRAY: 0, KEY: 1, VALUE: 2 } as const;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MORE: Piece = { kind: 'more' };
const END: Piece = { kind: 'end' };

/**
 * Cuts a body into JSON values that stand one after the other, whatever pieces it comes in. It finds what is no JSON at
 * the same byte and says it in the same words as the decoder of Go's encoding/json, which is the first that a request
 * to etcd's gateway meets.
 */
export class JsonSplitter {
  #bytes: Buffer = Buffer.alloc(0);
  /** The first byte that has not been looked at, and where the value under way begins; -1: it has not. */
  #at = 0;
  #start = -1;
  #state: State = State.BEGIN;
  readonly #inside: number[] = [];
  #literal = '';
  #expected = 0;
  #ended = false;
  #error: Piece | null = null;

  push(chunk: Buffer): void {
    this.#drop(this.#start < 0 ? this.#at : this.#start);
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** Nothing more will come. */
  end(): void {
    this.#ended = true;
  }

  /** Bytes of a value that is not complete, or that nobody has asked for. */
  get pendingBytes(): number {
    return this.#bytes.length - (this.#start < 0 ? this.#at : this.#start);
  }

  next(): Piece {
    if (this.#error !== null) return this.#error;
    const bytes = this.#bytes;
    while (this.#at < bytes.length) {
      if (this.#state === State.STRING) this.#at = endOfPlain(bytes, this.#at);
      if (this.#at === bytes.length) break;
      const verdict = this.#step(bytes[this.#at] as number);
      if (typeof verdict === 'string') return this.#fail(verdict);
      if (verdict !== BEFORE) this.#at++;
      if (verdict !== GO) return this.#value();
    }
    if (!this.#ended) return MORE;
    if (this.#start < 0) return END;
    // A number ends where nothing follows it; anything else is cut off.
    return this.#inside.length === 0 && isNumberEnd(this.#state) ? this.#value() : this.#fail('unexpected EOF');
  }

  #value(): Piece {
    const bytes = this.#bytes.subarray(this.#start, this.#at);
    this.#start = -1;
    this.#state = State.BEGIN;
    return { kind: 'value', bytes };
  }

  #fail(text: string): Piece {
    this.#error = { kind: 'error', text };
    return this.#error;
  }

  #drop(count: number): void {
    this.#bytes = this.#bytes.subarray(count);
    this.#at -= count;
    if (this.#start >= 0) this.#start -= count;
  }

  /** @returns 0 to go on, LAST where this byte ends the value, BEFORE where the one before it did, or what is wrong */
  #step(c: number): number | string {
    switch (this.#state) {
      case State.BEGIN:
        return isSpace(c) ? GO : this.#begin(c);
      case State.BEGIN_OR_ARRAY_END:
        if (isSpace(c)) return GO;
        return c === 0x5d ? this.#close() : this.#begin(c);
      case State.KEY_OR_OBJECT_END:
        if (isSpace(c)) return GO;
        if (c === 0x7d) return this.#close();
        return this.#key(c);
      case State.KEY:
        return isSpace(c) ? GO : this.#key(c);
      case State.COLON:
        if (isSpace(c)) return GO;
        if (c !== 0x3a) return wrong(c, 'after object key');
        this.#inside[this.#inside.length - 1] = Inside.VALUE;
        this.#state = State.BEGIN;
        return GO;
      case State.AFTER_VALUE:
        return this.#afterValue(c);
      case State.STRING:
        if (c === QUOTE) return this.#over(LAST);
        if (c === BACKSLASH) this.#state = State.ESCAPE;
        else if (c < 0x20) return wrong(c, 'in string literal');
        return GO;
      case State.ESCAPE:
        if (c === 0x75) {
          this.#expected = 4;
          this.#state = State.HEX;
          return GO;
        }
        if (!ESCAPES.includes(c)) return wrong(c, 'in string escape code');
        this.#state = State.STRING;
        return GO;
      case State.HEX:
        if (!isHex(c)) return wrong(c, 'in \\u hexadecimal character escape');
        if (--this.#expected === 0) this.#state = State.STRING;
        return GO;
      case State.LITERAL: {
        const wanted = this.#literal.charCodeAt(this.#expected);
        if (c !== wanted) {
          return wrong(c, `in literal ${this.#literal} (expecting '${String.fromCharCode(wanted)}')`);
        }
        return ++this.#expected === this.#literal.length ? this.#over(LAST) : GO;
      }
      default:
        return this.#number(c);
    }
  }

  #begin(c: number): number | string {
    if (this.#start < 0) this.#start = this.#at;
    if (c === 0x7b) return this.#open(Inside.KEY, State.KEY_OR_OBJECT_END);
    if (c === 0x5b) return this.#open(Inside.ARRAY, State.BEGIN_OR_ARRAY_END);
    if (c === QUOTE) this.#state = State.STRING;
    else if (c === 0x2d) this.#state = State.MINUS;
    else if (c === 0x30) this.#state = State.ZERO;
    else if (isDigit(c)) this.#state = State.DIGITS;
    else if (c === 0x74 || c === 0x66 || c === 0x6e) {
      this.#literal = c === 0x74 ? 'true' : c === 0x66 ? 'false' : 'null';
      this.#expected = 1;
      this.#state = State.LITERAL;
    } else return wrong(c, 'looking for beginning of value');
    return GO;
  }

  #open(inside: number, state: State): number | string {
    if (this.#inside.length >= NESTING_MAX) return 'exceeded max depth';
    this.#inside.push(inside);
    this.#state = state;
    return GO;
  }

  #close(): number {
    this.#inside.pop();
    return this.#over(LAST);
  }

  #key(c: number): number | string {
    if (c !== QUOTE) return wrong(c, 'looking for beginning of object key string');
    this.#state = State.STRING;
    return GO;
  }

  /** A value has ended. @param how it ended: what is returned where it was the outermost */
  #over(how: number): number {
    if (this.#inside.length === 0) return how;
    this.#state = this.#inside[this.#inside.length - 1] === Inside.KEY ? State.COLON : State.AFTER_VALUE;
    return GO;
  }

  #afterValue(c: number): number | string {
    if (isSpace(c)) return GO;
    const isArray = this.#inside[this.#inside.length - 1] === Inside.ARRAY;
    if (c === 0x2c) {
      if (!isArray) this.#inside[this.#inside.length - 1] = Inside.KEY;
      this.#state = isArray ? State.BEGIN : State.KEY;
      return GO;
    }
    if (c === (isArray ? 0x5d : 0x7d)) return this.#close();
    return wrong(c, isArray ? 'after array element' : 'after object key:value pair');
  }

  #number(c: number): number | string {
    switch (this.#state) {
      case State.MINUS:
        if (!isDigit(c)) return wrong(c, 'in numeric literal');
        this.#state = c === 0x30 ? State.ZERO : State.DIGITS;
        return GO;
      case State.DIGITS:
        if (isDigit(c)) return GO;
        break;
      case State.POINT:
        if (!isDigit(c)) return wrong(c, 'after decimal point in numeric literal');
        this.#state = State.FRACTION;
        return GO;
      case State.EXPONENT:
        if (c === 0x2b || c === 0x2d) {
          this.#state = State.EXPONENT_SIGN;
          return GO;
        }
        if (!isDigit(c)) return wrong(c, 'in exponent of numeric literal');
        this.#state = State.EXPONENT_DIGITS;
        return GO;
      case State.EXPONENT_SIGN:
        if (!isDigit(c)) return wrong(c, 'in exponent of numeric literal');
        this.#state = State.EXPONENT_DIGITS;
        return GO;
      case State.FRACTION:
      case State.EXPONENT_DIGITS:
        if (isDigit(c)) return GO;
        break;
    }
    const isWhole = this.#state === State.ZERO || this.#state === State.DIGITS;
    if (c === 0x2e && isWhole) {
      this.#state = State.POINT;
      return GO;
    }
    if ((c === 0x65 || c === 0x45) && this.#state !== State.EXPONENT_DIGITS) {
      this.#state = State.EXPONENT;
      return GO;
    }
    const ended = this.#over(BEFORE);
    return ended === GO ? this.#afterValue(c) : ended;
  }
}

const GO = 0;
const LAST = 1;
/** The byte that was looked at is not the value's. */
const BEFORE = 2;
const ESCAPES = [...'"\\/bfnrt'].map((c) => c.charCodeAt(0));

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x09 || c === 0x0d || c === 0x0a;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function isHex(c: number): boolean {
  return isDigit(c) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
}

function isNumberEnd(state: State): boolean {
  return state === State.ZERO || state === State.DIGITS || state === State.FRACTION || state === State.EXPONENT_DIGITS;
}

/** Where a string has a byte that is not just a character of it. */
function endOfPlain(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const c = bytes[at] as number;
    if (c === QUOTE || c === BACKSLASH || c < 0x20) break;
    at++;
  }
  return at;
}

function wrong(c: number, context: string): string {
  return `invalid character ${quoted(c)} ${context}`;
}

const NAMED: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  39: "\\'",
  92: '\\\\',
};

/** A byte in Go's quotes, as the character of that number. */
function quoted(c: number): string {
  const named = NAMED[c];
  if (named !== undefined) return `'${named}'`;
  if (c < 0x20 || c === 0x7f) return `'\\x${c.toString(16).padStart(2, '0')}'`;
  if ((c >= 0x80 && c <= 0xa0) || c === 0xad) return `'\\u00${c.toString(16)}'`;
  return `'${String.fromCharCode(c)}'`;
}
