import type { Env, TimerHandle } from '../util/env.js';
import type { PeerIdentity, SnapshotSource } from './api.js';
import { Channel } from './channel.js';
import { packr } from './envelope.js';
import { FrameType } from './frame.js';
import { peerError } from './questions.js';

/** Chunks that may be under way before one of them has been taken. */
const WINDOW = 4;
const DIAL_TIMEOUT_MS = 2000;
/** Without any progress for so long a snapshot is given up, ms. */
const STALL_MS = 30_000;

/**
 * Streams a snapshot on a connection of its own, so that heartbeats pass meanwhile. The receiver acknowledges each
 * chunk that it has taken, and at the end what became of the whole.
 */
export function sendSnapshotStream(
  env: Env,
  identity: PeerIdentity,
  target: { to: bigint; address: string; source: SnapshotSource },
  cb: (err: Error | null) => void,
): void {
  const { to, address, source } = target;
  let underWay = 0;
  let reading = false;
  let ended = false;
  let settled = false;
  let timer: TimerHandle;
  const settle = (err: Error | null): void => {
    if (settled) return;
    settled = true;
    env.timers.clear(timer);
    source.close();
    channel.close();
    cb(err);
  };
  const progress = (): void => {
    env.timers.clear(timer);
    timer = env.timers.set(STALL_MS, () => settle(peerError('ERR_PEER_TIMEOUT', 'the snapshot made no progress')));
  };
  const pull = (): void => {
    if (settled || reading || ended || underWay >= WINDOW) return;
    reading = true;
    source.next((err, chunk) => {
      reading = false;
      if (settled) return;
      if (err !== null) return settle(err);
      if (chunk === null) {
        ended = true;
        channel.write(FrameType.ChunkEnd, []);
        return;
      }
      underWay++;
      channel.write(FrameType.Chunk, [chunk]);
      pull();
    });
  };
  const options = { identity, to, purpose: 'snapshot' as const, dialTimeoutMs: DIAL_TIMEOUT_MS };
  const channel = new Channel(env, address, options, {
    onWelcome: pull,
    onFrame: (type, payload) => {
      progress();
      if (type === FrameType.ChunkTaken) {
        underWay--;
        pull();
      } else if (type === FrameType.ChunkDone) {
        const why = packr.unpack(payload) as string | null;
        settle(why === null ? null : peerError('ERR_PEER_SNAPSHOT', why));
      }
    },
    onClose: (refused, err) =>
      settle(peerError('ERR_PEER_UNREACHABLE', refused?.message ?? err?.message ?? 'the connection was closed')),
  });
  timer = env.timers.set(STALL_MS, () => settle(peerError('ERR_PEER_TIMEOUT', 'the snapshot made no progress')));
}
