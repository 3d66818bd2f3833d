import type { Message } from '../raft/index.js';
import type { Histogram } from '../util/histogram.js';

/**
 * What the server asks of the peer room: raft messages, forwarded proposals, small questions and snapshots
 * between members, over one connection a direction. Sans-I/O: it lives on `Env.net` and `Env.timers`.
 */
export interface PeerHub {
  /** Starts to accept. `address` is host:port; port 0 picks one. */
  listen(address: string, cb: (err: Error | null, address: string) => void): void;
  /** The members to talk to, without ourselves. Connections to others are closed; ids ever removed are refused. */
  setPeers(peers: PeerAddress[], removed: bigint[]): void;
  /**
   * Queues raft messages; MsgSnap is not among them. Nothing is promised: a message may be lost or doubled, order is
   * kept while a connection lasts. Everything queued in a turn leaves in one frame a peer at `flush()`.
   */
  send(message: Message): void;
  /** Forwards marshalled InternalRaftRequests to the leader, in one frame. False if there is no connection now. */
  forward(to: bigint, proposals: Buffer[]): boolean;
  flush(): void;
  /** A small question to a peer; answers once, `ERR_PEER_UNREACHABLE` or `ERR_PEER_TIMEOUT` where there is no answer. */
  request(to: bigint, kind: string, body: unknown, timeoutMs: number, cb: PeerReply): void;
  /** As request, to an address whose member is not known yet (joining an existing cluster). Several addresses are tried in turn. */
  requestAt(addresses: string[], kind: string, body: unknown, timeoutMs: number, cb: PeerReply): void;
  /** Streams a snapshot: chunks are pulled when the connection has room. */
  sendSnapshot(to: bigint, source: SnapshotSource, cb: (err: Error | null) => void): void;
  /** ms on the monotonic clock since which the peer has been connected, or -1. */
  activeSince(id: bigint): number;
  /** The etcd version that the peer announced when it was last connected; null if it never was. */
  versionOf(id: bigint): string | null;
  /** What has gone between us and each peer since we know it. */
  figures(): PeerFigures[];
  close(cb: () => void): void;
}

export interface PeerFigures {
  readonly id: bigint;
  /** Our connection to it stands. */
  readonly active: boolean;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sentFailures: number;
  /** How often our connection to it was lost. */
  readonly disconnects: number;
  /** Seconds, of pings. */
  readonly roundTrips: Histogram;
}

export interface PeerAddress {
  readonly id: bigint;
  /** peer URLs, http://host:port */
  readonly urls: readonly string[];
}

export type PeerReply = (err: PeerError | null, body: unknown) => void;

export interface PeerError extends Error {
  readonly code: string;
}

export interface SnapshotSource {
  /** Calls back with the next chunk, or null at the end. */
  next(cb: (err: Error | null, chunk: Buffer | null) => void): void;
  close(): void;
}

/** A snapshot that arrives. `write` calls back when the chunk has been taken (back-pressure). */
export interface SnapshotSink {
  write(chunk: Buffer, cb: (err: Error | null) => void): void;
  /** All chunks came. The callback's error is told to the sender. */
  end(cb: (err: Error | null) => void): void;
  abort(): void;
}

/** What the hub calls; the server implements it. */
export interface PeerHandlers {
  onMessages(from: bigint, messages: Message[]): void;
  /** Proposals that a follower forwarded to us. */
  onForward(from: bigint, proposals: Buffer[]): void;
  /** A question; `reply` may be called later, once. `from` is 0n when the asker is not a member yet. */
  onRequest(
    from: bigint,
    kind: string,
    body: unknown,
    reply: (err: { code: string; message: string } | null, body: unknown) => void,
  ): void;
  /** null refuses it. */
  onSnapshot(from: bigint): SnapshotSink | null;
  /** The connection to a peer is gone or could not be made. @param evidence refused or reset: its process is gone */
  onPeerDown(id: bigint, evidence: boolean): void;
  onPeerUp(id: bigint): void;
  /** The peer says that we have been removed from the cluster. */
  onRemoved(): void;
}

/** Who we are in the handshake. A peer of another cluster, or that expects another member here, is refused and logged. */
export interface PeerIdentity {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** etcd version that we announce, e.g. 3.6.14, and the oldest cluster version we can live with. */
  readonly version: string;
  readonly minClusterVersion: string;
  /** Where we can be reached, for members that do not know us yet (etcd: X-PeerURLs). Default nowhere. */
  readonly peerUrls?: readonly string[];
}
