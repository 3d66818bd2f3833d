import type { KubeObject } from '../machinery/object.js';
import type { StoreEvent } from '../registry/object-store.js';

/** Rows carry ages: an encoding serves others for so long. */
const FRESH_MS = 1000;

interface Encoded {
  readonly at: number;
  readonly line: Buffer;
}

/**
 * Lines of watches that were encoded a short while ago, so that an event costs one encoding for all who watch in the
 * same form. Two generations bound it: what was not asked for during a whole one is dropped.
 */
export class EncodedEvents {
  readonly #max: number;
  #young = new Map<KubeObject, Map<string, Encoded>>();
  #old = new Map<KubeObject, Map<string, Encoded>>();

  /** @param max objects of one generation */
  constructor(max = 512) {
    this.#max = max;
  }

  /** @param form tells views apart that are encoded differently @param encode makes the object's JSON */
  line(event: StoreEvent, form: string, now: number, encode: () => string): Buffer {
    const key = event.type + form;
    const lines = this.#linesOf(event.object);
    const known = lines.get(key);
    if (known !== undefined && now - known.at < FRESH_MS) return known.line;
    const line = Buffer.from(`{"type":"${event.type}","object":${encode()}}\n`);
    lines.set(key, { at: now, line });
    return line;
  }

  #linesOf(object: KubeObject): Map<string, Encoded> {
    const young = this.#young.get(object);
    if (young !== undefined) return young;
    const lines = this.#old.get(object) ?? new Map<string, Encoded>();
    if (this.#young.size >= this.#max) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(object, lines);
    return lines;
  }
}
