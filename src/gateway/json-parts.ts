import { RangeResponse } from '../wire/index.js';
import type { GatewayContext } from './gateway-context.js';
import type { HttpExchange } from './http.js';
import { toJson } from './json/encode.js';

/** A client that takes nothing of an answer for so long gets no more of it, ms. */
const STALL_MS = 60_000;

/**
 * A large range's answer, whose JSON is made piece by piece as the client takes it. The head of the answer is out.
 *
 *   {"header":{...}   ,"kvs":[{...},{...}   ,{...},{...}   ],"count":"2"}
 */
export class JsonParts {
  readonly #context: GatewayContext;
  readonly #exchange: HttpExchange;
  readonly #parts: readonly Buffer[];
  readonly #onEnd: () => void;
  #at = 0;
  #hasRows = false;
  #timer: unknown = null;
  #over = false;

  /** @param parts a RangeResponse whose first part is the header, and whose last what comes behind the rows */
  constructor(context: GatewayContext, exchange: HttpExchange, parts: readonly Buffer[], onEnd: () => void) {
    this.#context = context;
    this.#exchange = exchange;
    this.#parts = parts;
    this.#onEnd = onEnd;
  }

  readonly next = (): void => {
    if (this.#over) return;
    const last = this.#at === this.#parts.length - 1;
    const text = this.#text(last);
    this.#at++;
    if (last) {
      this.#exchange.end(text);
      this.close();
    } else if (this.#exchange.write(text)) {
      this.#context.timers.defer(this.next);
    } else {
      this.#timer = this.#context.timers.set(STALL_MS, () => {
        this.#exchange.end();
        this.close();
      });
    }
  };

  onDrain(): void {
    if (this.#timer === null) return;
    this.#context.timers.clear(this.#timer);
    this.#timer = null;
    this.next();
  }

  /** Idempotent. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#timer !== null) this.#context.timers.clear(this.#timer);
    this.#onEnd();
  }

  #text(last: boolean): string {
    const json = toJson(RangeResponse, RangeResponse.decode(this.#parts[this.#at] as Buffer));
    const inner = json.slice(1, -1);
    if (this.#at === 0) return `{${inner}`;
    if (last) return `${this.#hasRows ? ']' : ''}${inner === '' ? '' : `,${inner}`}}`;
    // {"kvs":[...]}
    const rows = inner.slice('"kvs":['.length, -1);
    const text = `${this.#hasRows ? ',' : ',"kvs":['}${rows}`;
    this.#hasRows = true;
    return text;
  }
}
