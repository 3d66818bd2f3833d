import type { Env } from '../util/env.js';
import { addressOf } from './address.js';
import type { PeerIdentity, PeerReply } from './api.js';
import { Channel } from './channel.js';
import { packr } from './envelope.js';
import { FrameType } from './frame.js';
import { peerError } from './questions.js';

const DIAL_TIMEOUT_MS = 1000;

/** One question to whoever listens at the first of `urls` that answers, on a connection of its own. */
export function ask(
  env: Env,
  identity: PeerIdentity,
  urls: readonly string[],
  question: { kind: string; body: unknown; timeoutMs: number },
  cb: PeerReply,
): void {
  const tryNext = (i: number, last: string): void => {
    const url = urls[i];
    if (url === undefined) {
      env.timers.defer(() => cb(peerError('ERR_PEER_UNREACHABLE', last), null));
      return;
    }
    const address = addressOf(url);
    if (address === null) return tryNext(i + 1, `bad URL ${url}`);
    askAt(env, identity, address, question, (err, body) => {
      if (err?.code === 'ERR_PEER_UNREACHABLE') tryNext(i + 1, err.message);
      else cb(err, body);
    });
  };
  tryNext(0, 'no URL to ask');
}

function askAt(
  env: Env,
  identity: PeerIdentity,
  address: string,
  question: { kind: string; body: unknown; timeoutMs: number },
  cb: PeerReply,
): void {
  let settled = false;
  const settle: PeerReply = (err, body) => {
    if (settled) return;
    settled = true;
    env.timers.clear(timer);
    channel.close();
    cb(err, body);
  };
  const options = { identity, to: 0n, purpose: 'ask' as const, dialTimeoutMs: DIAL_TIMEOUT_MS };
  const channel = new Channel(env, address, options, {
    onWelcome: () => channel.pack(FrameType.Request, [1, question.kind, question.body]),
    onFrame: (type, payload) => {
      if (type !== FrameType.Reply) return;
      const [, error, body] = packr.unpack(payload) as [number, { code: string; message: string } | null, unknown];
      settle(error === null ? null : peerError(error.code, error.message), body);
    },
    onClose: (refused, err) => {
      const why = refused?.message ?? err?.message ?? `no answer from ${address}`;
      settle(peerError('ERR_PEER_UNREACHABLE', why), null);
    },
  });
  const timer = env.timers.set(question.timeoutMs, () =>
    settle(peerError('ERR_PEER_TIMEOUT', `no answer from ${address}`), null),
  );
}
