/** /healthz, /livez and /readyz. Source: kubernetes API health endpoints. */
import { ApiError } from '../../machinery/api-error.js';
import type { Exchange } from '../exchange.js';
import { isTrue } from '../request-info.js';
import { respondText } from '../respond.js';

export interface HealthCheck {
  readonly name: string;
  /** Only /readyz asks it. */
  readonly readyOnly?: boolean;
  /** Rejects with why not. */
  check(): Promise<void>;
}

/** A check that does not answer counts as failed, ms. */
const PATIENCE_MS = 5000;
const ENDPOINTS = ['healthz', 'livez', 'readyz'];

export class HealthPages {
  readonly #checks: readonly HealthCheck[];
  readonly #now: () => number;

  constructor(checks: readonly HealthCheck[], now: () => number) {
    this.#checks = [{ name: 'ping', check: async () => {} }, ...checks];
    this.#now = now;
  }

  /** False if the path is none of these. */
  async handle(exchange: Exchange): Promise<boolean> {
    const [, endpoint = '', name, ...more] = exchange.info.path.split('/');
    if (!ENDPOINTS.includes(endpoint) || more.length > 0) return false;
    const checks = this.#checks.filter((one) => endpoint === 'readyz' || one.readyOnly !== true);
    if (name !== undefined && name !== '') {
      const one = checks.find((check) => check.name === name);
      if (one === undefined) return false;
      await this.#answer(exchange, endpoint, [one], false);
      return true;
    }
    const excluded = new Set(exchange.info.query.getAll('exclude'));
    const rest = checks.filter((one) => !excluded.has(one.name));
    await this.#answer(exchange, endpoint, rest, isTrue(exchange.info.query.get('verbose')));
    return true;
  }

  async #answer(exchange: Exchange, endpoint: string, checks: readonly HealthCheck[], verbose: boolean): Promise<void> {
    const results = await Promise.all(checks.map((one) => this.#passes(one)));
    const failed = checks.filter((_, i) => !results[i]);
    const lines = checks.map((one, i) => (results[i] ? `[+]${one.name} ok` : `[-]${one.name} failed: reason withheld`));
    const headers = { 'X-Content-Type-Options': 'nosniff' };
    if (failed.length > 0) {
      return respondText(exchange, 500, `${lines.join('\n')}\n${endpoint} check failed\n`, headers);
    }
    if (verbose) return respondText(exchange, 200, `${lines.join('\n')}\n${endpoint} check passed\n`, headers);
    respondText(exchange, 200, 'ok', headers);
  }

  async #passes(one: HealthCheck): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new ApiError(504, 'Timeout', `${one.name} at ${this.#now()}`)), PATIENCE_MS);
    });
    try {
      await Promise.race([one.check(), late]);
      return true;
    } catch {
      // Why is for the log of whoever failed; the answer only tells that.
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
