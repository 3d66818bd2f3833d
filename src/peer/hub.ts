import type { Message } from '../raft/index.js';
import type { Env, NetListener } from '../util/env.js';
import { hex } from '../util/hex.js';
import type { Logger } from '../util/log.js';
import { addressOf } from './address.js';
import type {
  PeerAddress,
  PeerFigures,
  PeerHandlers,
  PeerHub,
  PeerIdentity,
  PeerReply,
  SnapshotSource,
} from './api.js';
import { ask } from './ask.js';
import type { Hello, Refuse } from './handshake.js';
import type { InboundOwner } from './inbound.js';
import { Inbound } from './inbound.js';
import type { LinkEvents, LinkTimes } from './link.js';
import { Link, linkTimes } from './link.js';
import { peerError } from './questions.js';
import { sendSnapshotStream } from './snapshot-stream.js';

/** Members that we do not know, at a time. */
const GUESTS_MAX = 16;

/** The peer room over `Env.net`: a link to each peer, and whoever dialed us. */
export class NetPeerHub implements PeerHub, InboundOwner, LinkEvents {
  readonly identity: PeerIdentity;
  /** Set before `listen`. */
  handlers!: PeerHandlers;
  readonly #env: Env;
  readonly #log: Logger;
  readonly #times: LinkTimes;
  readonly #links = new Map<bigint, Link>();
  readonly #inbound = new Set<Inbound>();
  /**
   * Links to members of this cluster that dialed us and that we have not heard of: who was down while all others were
   * replaced can answer nobody else. They last as long as those dial us.
   */
  readonly #guests = new Set<bigint>();
  #removed = new Set<bigint>();
  /** Bytes on connections that peers dialed. */
  readonly #received = new Map<bigint, number>();
  #listeners: NetListener[] = [];
  #closed = false;

  constructor(env: Env, identity: PeerIdentity, times: LinkTimes = linkTimes) {
    this.#env = env;
    this.identity = identity;
    this.#times = times;
    this.#log = env.log.with({ caller: 'peer/hub.ts', 'local-member-id': hex(identity.memberId) });
  }

  listen(address: string, cb: (err: Error | null, address: string) => void): void {
    this.#env.net.listen(
      address,
      (conn) => {
        if (this.#closed) conn.destroy();
        else this.#inbound.add(new Inbound(this.#env, conn, this));
      },
      (err, listener) => {
        if (listener !== null) this.#listeners.push(listener);
        cb(err, listener?.address ?? '');
      },
    );
  }

  setPeers(peers: PeerAddress[], removed: bigint[]): void {
    if (this.#closed) return;
    this.#removed = new Set(removed);
    const wanted = new Map(peers.map((peer) => [peer.id, peer]));
    for (const [id, link] of this.#links) {
      if (wanted.has(id)) this.#guests.delete(id);
      else if (!this.#guests.has(id) || this.#removed.has(id)) this.#drop(id, link);
    }
    for (const inbound of [...this.#inbound]) if (this.#removed.has(inbound.from)) inbound.close();
    for (const peer of peers) {
      const link = this.#links.get(peer.id);
      if (link !== undefined) link.setUrls(peer.urls);
      else this.#links.set(peer.id, new Link(this.#env, this.#log, this.identity, peer, this, this.#times));
    }
  }

  #drop(id: bigint, link: Link): void {
    this.#links.delete(id);
    this.#guests.delete(id);
    link.close();
  }

  send(message: Message): void {
    this.#links.get(message.to)?.send(message);
  }

  forward(to: bigint, proposals: Buffer[]): boolean {
    return this.#links.get(to)?.forward(proposals) ?? false;
  }

  flush(): void {
    for (const link of this.#links.values()) link.flush();
  }

  request(to: bigint, kind: string, body: unknown, timeoutMs: number, cb: PeerReply): void {
    const link = this.#links.get(to);
    if (link !== undefined) return link.request(kind, body, timeoutMs, cb);
    this.#env.timers.defer(() => cb(peerError('ERR_PEER_UNREACHABLE', `no member ${hex(to)}`), null));
  }

  requestAt(urls: string[], kind: string, body: unknown, timeoutMs: number, cb: PeerReply): void {
    ask(this.#env, this.identity, urls, { kind, body, timeoutMs }, cb);
  }

  sendSnapshot(to: bigint, source: SnapshotSource, cb: (err: Error | null) => void): void {
    const address = this.#addressOf(to);
    if (address === null) {
      source.close();
      this.#env.timers.defer(() => cb(peerError('ERR_PEER_UNREACHABLE', `no address of member ${hex(to)}`)));
      return;
    }
    sendSnapshotStream(this.#env, this.identity, { to, address, source }, cb);
  }

  #addressOf(id: bigint): string | null {
    for (const url of this.#links.get(id)?.urls ?? []) {
      const address = addressOf(url);
      if (address !== null) return address;
    }
    return null;
  }

  figures(): PeerFigures[] {
    return [...this.#links.values()].map((link) => ({
      id: link.id,
      active: link.activeSince >= 0,
      sentBytes: link.traffic.sentBytes,
      // What it dialed us with counts as well.
      receivedBytes: link.traffic.receivedBytes + (this.#received.get(link.id) ?? 0),
      sentFailures: link.sentFailures,
      disconnects: link.disconnects,
      roundTrips: link.roundTrips,
    }));
  }

  activeSince(id: bigint): number {
    return this.#links.get(id)?.activeSince ?? -1;
  }

  versionOf(id: bigint): string | null {
    return this.#links.get(id)?.version ?? null;
  }

  close(cb: () => void): void {
    if (this.#closed) return cb();
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    for (const inbound of [...this.#inbound]) inbound.close();
    let left = this.#listeners.length;
    if (left === 0) return this.#env.timers.defer(cb);
    for (const listener of this.#listeners) {
      listener.close(() => {
        left--;
        if (left === 0) cb();
      });
    }
  }

  // --- InboundOwner ---

  onReceived(from: bigint, bytes: number): void {
    this.#received.set(from, (this.#received.get(from) ?? 0) + bytes);
  }

  isRemoved(id: bigint): boolean {
    return this.#removed.has(id);
  }

  onRefused(hello: Hello | null, refuse: Refuse, remote: string): void {
    this.#log.warn('rejected connection on peer endpoint', {
      'remote-addr': remote,
      'remote-peer-id': hello === null ? '' : hex(hello.from),
      error: refuse.message,
    });
  }

  onGreeted({ from, peerUrls }: Hello): void {
    if (this.#closed || from === 0n || from === this.identity.memberId || this.#links.has(from)) return;
    if (peerUrls.length === 0 || this.#guests.size >= GUESTS_MAX) return;
    this.#guests.add(from);
    const guest = { id: from, urls: peerUrls };
    this.#links.set(from, new Link(this.#env, this.#log, this.identity, guest, this, this.#times));
  }

  onInboundClosed(inbound: Inbound): void {
    this.#inbound.delete(inbound);
    const { from } = inbound;
    const link = this.#guests.has(from) ? this.#links.get(from) : undefined;
    if (link === undefined || this.#closed) return;
    for (const other of this.#inbound) if (other.from === from) return;
    this.#drop(from, link);
  }

  // --- LinkEvents ---

  onUp(id: bigint): void {
    this.handlers.onPeerUp(id);
  }

  onDown(id: bigint, evidence: boolean): void {
    this.handlers.onPeerDown(id, evidence);
  }

  onRemoved(): void {
    this.handlers.onRemoved();
  }
}
