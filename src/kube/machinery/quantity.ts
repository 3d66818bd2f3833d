/**
 * Amounts of resources: `500m`, `1.5Gi`, `12e6`. Held exactly as nano units, which is as fine as Kubernetes goes: what
 * is finer is rounded away from zero, what is beyond 2^63-1 whole units is cut to that.
 */

export type QuantityFormat = 'decimal' | 'binary' | 'exponent';

export interface Quantity {
  /** In units of 10^-9. */
  readonly nanos: bigint;
  /** Which family of suffixes its canonical text uses. */
  readonly format: QuantityFormat;
}

/** The text is no quantity. The message is that of Kubernetes. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_WRONG = "unable to parse quantity's suffix";

const GIGA = 1_000_000_000n;
const NANOS_MAX = ((1n << 63n) - 1n) * GIGA;
/** Powers of ten beyond these all give the largest or the smallest amount. */
const EXPONENT_MAX = 40;
const DIGITS_MAX = 60;

const DECIMAL = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const DECIMAL_NAMES = [...DECIMAL.keys()];
const BINARY_NAMES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

const SUFFIX = /^[eEinumkKMGTP]*[-+]?\d*$/;

/**
 * Takes time in proportion to the text, whatever it is: it comes from clients.
 * @throws QuantityError
 */
export function parseQuantity(text: string): Quantity {
  const start = text[0] === '-' || text[0] === '+' ? 1 : 0;
  const wholeEnd = pastDigits(text, start);
  const fractionStart = text[wholeEnd] === '.' ? wholeEnd + 1 : wholeEnd;
  const end = fractionStart === wholeEnd ? wholeEnd : pastDigits(text, fractionStart);
  const whole = text.slice(start, wholeEnd);
  const fraction = text.slice(fractionStart, end);
  const suffix = text.slice(end);
  if ((whole === '' && fraction === '') || !SUFFIX.test(suffix)) throw new QuantityError(FORMAT_WRONG);
  const { format, times, exponent } = readSuffix(suffix);
  const amount = scaled(whole, fraction, exponent, times);
  return { nanos: text[0] === '-' ? -amount : amount, format };
}

function pastDigits(text: string, from: number): number {
  let i = from;
  while (i < text.length && text.charCodeAt(i) >= 0x30 && text.charCodeAt(i) <= 0x39) i++;
  return i;
}

function readSuffix(suffix: string): { format: QuantityFormat; times: bigint; exponent: number } {
  const decimal = DECIMAL.get(suffix);
  if (decimal !== undefined) return { format: 'decimal', times: 1n, exponent: decimal };
  const binary = BINARY_NAMES.indexOf(suffix);
  if (binary > 0) return { format: 'binary', times: 1n << BigInt(10 * binary), exponent: 0 };
  const power = /^[eE]([+-]?\d+)$/.exec(suffix);
  if (power === null) throw new QuantityError(SUFFIX_WRONG);
  return { format: 'exponent', times: 1n, exponent: Number(power[1]) };
}

/** Nano units of `whole.fraction` * 10^exponent * times, rounded up and cut. */
function scaled(whole: string, fraction: string, exponent: number, times: bigint): bigint {
  const digits = whole + fraction;
  let leading = 0;
  while (digits.charCodeAt(leading) === 0x30) leading++;
  if (leading === digits.length) return 0n;
  // The value is 0.kept * 10^point * times, and a little more if there is a rest.
  const point = whole.length + exponent - leading;
  if (point > EXPONENT_MAX) return NANOS_MAX;
  if (point < -EXPONENT_MAX) return 1n;
  const kept = digits.slice(leading, leading + DIGITS_MAX);
  const rest = /[1-9]/.test(digits.slice(leading + DIGITS_MAX));
  const power = point - kept.length + 9;
  const numerator = BigInt(kept) * times * (power > 0 ? 10n ** BigInt(power) : 1n);
  const nanos = power < 0 ? dividedUp(numerator, 10n ** BigInt(-power), rest) : numerator;
  return nanos > NANOS_MAX ? NANOS_MAX : nanos;
}

function dividedUp(a: bigint, b: bigint, more: boolean): bigint {
  return a / b + (more || a % b !== 0n ? 1n : 0n);
}

/** The canonical text: no fraction, the largest suffix of its family that leaves a whole number. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos } = quantity;
  if (nanos === 0n) return '0';
  const whole = nanos % GIGA === 0n;
  const units = nanos / GIGA;
  if (quantity.format === 'binary' && whole && (units >= 1024n || units <= -1024n)) return binaryText(units);
  let mantissa = nanos;
  let exponent = -9;
  while (exponent < 18 && mantissa % 1000n === 0n) {
    mantissa /= 1000n;
    exponent += 3;
  }
  if (quantity.format !== 'exponent') return `${mantissa}${DECIMAL_NAMES[(exponent + 9) / 3]}`;
  return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
}

function binaryText(units: bigint): string {
  let mantissa = units;
  let step = 0;
  while (step < BINARY_NAMES.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    step++;
  }
  return `${mantissa}${BINARY_NAMES[step]}`;
}

/** Already canonical and by far the most frequent: whole numbers below 1000 with a decimal suffix, or none. */
const PLAIN = /^[1-9]\d{0,2}[munkMGTP]?$/;

/** @throws QuantityError */
export function canonicalQuantity(text: string): string {
  return PLAIN.test(text) ? text : formatQuantity(parseQuantity(text));
}

export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}

/** In the format of the first, unless that is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** Whole units, rounded away from zero. */
export function quantityValue(quantity: Quantity): bigint {
  return roundedUp(quantity.nanos, GIGA);
}

/** Thousandths, rounded away from zero: `1` is 1000. */
export function quantityMillis(quantity: Quantity): bigint {
  return roundedUp(quantity.nanos, 1_000_000n);
}

function roundedUp(a: bigint, b: bigint): bigint {
  return a < 0n ? -dividedUp(-a, b, false) : dividedUp(a, b, false);
}
