/** Short names for contents: FNV-1a over the canonical text, written without vowels and look-alikes. */
import type { JsonObject, Loose } from '../machinery/object.js';
import { canonicalText } from './same.js';

export const POD_TEMPLATE_HASH = 'pod-template-hash';
/** As long as the decimal digits it stands for. Names made of it spell no words. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

export function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Each character of the text by one of the alphabet. */
export function safeEncode(text: string): string {
  return Array.from(text, (c) => ALPHABET[(c.codePointAt(0) as number) % ALPHABET.length]).join('');
}

/** @param collisions how often a hash of this content turned out to be another's */
export function contentHash(content: unknown, collisions: number | undefined): string {
  return safeEncode(String(fnv32a(canonicalText(content) + (collisions ? `/${collisions}` : ''))));
}

export function podTemplateHash(template: JsonObject, collisions: number | undefined): string {
  return contentHash(withoutHash(template), collisions);
}

/** The template as its author wrote it. */
function withoutHash(template: Loose): unknown {
  const { metadata = {}, ...rest } = template ?? {};
  const { labels = {}, annotations, creationTimestamp: _, ...others } = metadata;
  const { [POD_TEMPLATE_HASH]: __, ...own } = labels;
  const notes = Object.keys(annotations ?? {}).length === 0 ? {} : { annotations };
  return { metadata: { ...others, ...notes, labels: own }, ...rest };
}

export function sameTemplate(a: unknown, b: unknown): boolean {
  return canonicalText(withoutHash(a)) === canonicalText(withoutHash(b));
}
