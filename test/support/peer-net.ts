import { decodeHello } from '../../src/peer/handshake.js';
import { hex } from '../../src/util/hex.js';
import { TcpProxy } from './tcp-proxy.js';

const HEADER_BYTES = 5;

/**
 * The network between members: a proxy in front of each one's peer port. A member dials every other and sends on what
 * it dialed, so what `a` says to `b` goes through b's proxy.
 */
export class PeerNet {
  readonly #proxies: ReadonlyMap<string, TcpProxy>;
  /** Names of members by the id (hex) that they say in their handshake. */
  readonly #names = new Map<string, string>();

  private constructor(proxies: ReadonlyMap<string, TcpProxy>) {
    this.#proxies = proxies;
  }

  /** @param ports the peer port of each member */
  static async start(ports: ReadonlyMap<string, number>): Promise<PeerNet> {
    const proxies = new Map<string, TcpProxy>();
    for (const [name, port] of ports) proxies.set(name, await TcpProxy.start(port, { identify: dialerOf }));
    return new PeerNet(proxies);
  }

  /** What others are to dial. */
  port(name: string): number {
    return this.#proxy(name).port;
  }

  /** Until it is told who is who, faults can only be of everybody. @param memberId decimal, as Status has it */
  introduce(name: string, memberId: string): void {
    this.#names.set(name, hex(BigInt(memberId)));
  }

  /** `a` and `b` cannot reach each other: connections break, dials fail. */
  cut(a: string, b: string): void {
    this.#proxy(b).spoil(this.#id(a), { cut: true });
    this.#proxy(a).spoil(this.#id(b), { cut: true });
  }

  /** What `from` sends does not arrive at `to`, whoever dialed; the other way it does. Nothing breaks. */
  oneWay(from: string, to: string): void {
    this.#proxy(to).spoil(this.#id(from), { held: ['in'] });
    this.#proxy(from).spoil(this.#id(to), { held: ['out'] });
  }

  /** Nothing arrives either way, and nothing says so. */
  hold(a: string, b: string): void {
    this.oneWay(a, b);
    this.oneWay(b, a);
  }

  /** Everything is late. */
  delay(delayMs: number, jitterMs: number): void {
    for (const proxy of this.#proxies.values()) proxy.spoil(null, { delayMs, jitterMs });
  }

  /** Every connection breaks once. */
  drop(): void {
    for (const proxy of this.#proxies.values()) proxy.drop();
  }

  heal(): void {
    for (const proxy of this.#proxies.values()) proxy.heal();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
  }

  #proxy(name: string): TcpProxy {
    const proxy = this.#proxies.get(name);
    if (!proxy) throw new Error(`no member ${name}`);
    return proxy;
  }

  #id(name: string): string {
    const id = this.#names.get(name);
    if (id === undefined) throw new Error(`the network does not know the id of ${name}`);
    return id;
  }
}

/** The member id in a connection's first frame. */
function dialerOf(first: Buffer): string | undefined {
  if (first.length < HEADER_BYTES) return undefined;
  const end = 4 + first.readUInt32LE(0);
  if (first.length < end) return undefined;
  const hello = decodeHello(first.subarray(HEADER_BYTES, end));
  return hello === null ? 'a stranger' : hex(hello.from);
}
