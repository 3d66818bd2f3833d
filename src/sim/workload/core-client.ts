import type { Rng } from '../../util/rng.js';
import type { Violation } from '../checkers/index.js';
import type { ClientKind, SimClient } from './client-kinds.js';
import { CoreHost } from './core-host.js';
import { CoreKeys } from './core-keys.js';
import { CoreLease } from './core-lease.js';
import { CoreWatch } from './core-watch.js';
import type { Workload } from './workload.js';

/** History's numbers of these clients start here. */
const FIRST_ID = 2000;

/** The production client (src/client/core) on a machine of its own: keys, watches and a lease over shared connections. */
class CoreClient implements SimClient {
  readonly #work: Workload;
  readonly #keys: CoreKeys;
  readonly #watches: CoreWatch[];
  readonly #lease: CoreLease;

  constructor(work: Workload, id: number, rng: Rng) {
    this.#work = work;
    const host = new CoreHost(work, `core${id}`, rng.split('host'));
    const first = FIRST_ID + 10 * id;
    this.#keys = new CoreKeys(work, host, first, rng.split('keys'));
    this.#lease = new CoreLease(work, host, first + 1, rng.split('lease'));
    const watches = rng.below(4);
    this.#watches = Array.from(
      { length: watches },
      (_, i) => new CoreWatch(work, host, i + 1, rng.split(`watch ${i}`)),
    );
  }

  start(): void {
    this.#keys.start();
    this.#lease.start();
    for (const watch of this.#watches) watch.start();
  }

  waitsFor(): string | null {
    this.#lease.stop();
    if (this.#keys.busy || this.#lease.busy) return 'the client core has not ended a call';
    const revision = this.#work.log().length + 1;
    for (const watch of this.#watches) {
      const what = watch.waitsFor(revision, this.#watches);
      if (what !== null) return what;
    }
    return null;
  }

  violations(): readonly Violation[] {
    return this.#watches.flatMap((watch) => watch.violations(this.#work.log()));
  }
}

export const coreClients: ClientKind = {
  name: 'core',
  draw: (rng) => rng.pick([0, 0, 1, 1, 2]),
  make: (work, id, rng) => new CoreClient(work, id, rng),
};
