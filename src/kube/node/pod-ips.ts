/** Addresses of one node's pods, out of its range; none is given again before the others were. */

export class PodIps {
  readonly #first: number;
  readonly #count: number;
  readonly #byPod = new Map<string, string>();
  readonly #used = new Set<string>();
  #next = 0;

  /** @param cidr IPv4, `10.244.3.0/24`; its first address is left to the node, its last to broadcasts */
  constructor(cidr: string) {
    const [address = '', bits = ''] = cidr.split('/');
    const parts = address.split('.').map(Number);
    const size = 2 ** (32 - Number(bits));
    if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part < 256)) || !(size >= 4)) {
      throw new TypeError(`no range of pod addresses: ${cidr}`);
    }
    const base = parts.reduce((sum, part) => sum * 256 + part, 0);
    this.#first = base - (base % size) + 2;
    this.#count = size - 3;
  }

  /** The same for a pod that has one. @throws Error when all are taken */
  take(uid: string): string {
    const held = this.#byPod.get(uid);
    if (held !== undefined) return held;
    for (let tried = 0; tried < this.#count; tried++) {
      const ip = textOf(this.#first + this.#next);
      this.#next = (this.#next + 1) % this.#count;
      if (this.#used.has(ip)) continue;
      this.keep(uid, ip);
      return ip;
    }
    throw new Error('no IP addresses available in range set');
  }

  /** A pod has this one already. */
  keep(uid: string, ip: string): void {
    this.#byPod.set(uid, ip);
    this.#used.add(ip);
  }

  release(uid: string): void {
    const ip = this.#byPod.get(uid);
    if (ip === undefined) return;
    this.#byPod.delete(uid);
    this.#used.delete(ip);
  }
}

function textOf(address: number): string {
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join('.');
}
