import type { Backend, StoredBackend } from '../../../src/storage/backend/index.js';
import { openBackend } from '../../../src/storage/backend/index.js';
import { SimWorld } from '../../storage/support/sim-world.js';
import type { World } from './harness.js';

/** The real backend on a simulated LevelDB that loses power, in virtual time. */
export class SimBackendWorld implements World {
  readonly #world: SimWorld;
  readonly loop: World['loop'];

  constructor(seed: number) {
    const world = new SimWorld(seed, { writeBufferBytes: 600 });
    this.#world = world;
    this.loop = {
      defer: world.env.timers.defer,
      // Flushes are always on their way.
      pending: 1,
      run: (count = Number.POSITIVE_INFINITY) => {
        for (let n = 0; n < count && world.step(); n++);
      },
    };
  }

  open(): Backend {
    const options = { paranoid: true, sliceRows: 3, flushMs: 3, flushBytes: 3000, numbersMax: 4 };
    const backend = this.#world.wait<StoredBackend>((cb) => openBackend(this.#world.env, '/m/keel', options, cb));
    backend.onError = (err) => {
      throw err;
    };
    return backend;
  }

  crash(): Backend {
    this.#world.crash();
    return this.open();
  }
}
