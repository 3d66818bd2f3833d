import type { ClientCore } from './core/client-core.js';
import type { Repeat, Status } from './core/status.js';
import { GrpcCode } from './core/status.js';
import { KeelError } from './errors.js';

/** Settings of one call. */
export interface CallOptions {
  /** For the whole call with its retries; 0 is none. Default: the client's requestTimeoutMs. */
  readonly timeoutMs?: number;
  /** Aborting it ends the wait with ERR_CANCELED. A write that was sent may be applied all the same. */
  readonly signal?: AbortSignal;
  /** A member that knows no leader refuses at once instead of waiting for one. */
  readonly requireLeader?: boolean;
}

interface Decoder<T> {
  decode(buf: Buffer): T;
}

/** Turns the core's callbacks into promises; all services of the facade call through it. */
export class Caller {
  readonly core: ClientCore;
  readonly timeoutMs: number;

  constructor(core: ClientCore, timeoutMs: number) {
    this.core = core;
    this.timeoutMs = timeoutMs;
  }

  /**
   * @param endpoint ask this one and no other
   * @throws KeelError (as a rejection)
   */
  call<T>(
    path: string,
    request: Buffer,
    decoder: Decoder<T>,
    repeat: Repeat,
    options: CallOptions = {},
    endpoint?: string,
  ): Promise<T> {
    const { signal, timeoutMs = this.timeoutMs, requireLeader = false } = options;
    if (signal?.aborted) return Promise.reject(KeelError.canceled(signal.reason));
    return new Promise((resolve, reject) => {
      const settings =
        endpoint === undefined ? { repeat, timeoutMs, requireLeader } : { repeat, timeoutMs, requireLeader, endpoint };
      const onAbort = () => call.cancel();
      const call = this.core.unary(path, request, settings, (status, reply) => {
        signal?.removeEventListener('abort', onAbort);
        if (status.code === GrpcCode.OK && reply !== null) {
          try {
            resolve(decoder.decode(reply));
          } catch (err) {
            reject(
              new KeelError('ERR_INTERNAL', `undecodable reply to ${path}`, {
                grpcCode: GrpcCode.INTERNAL,
                cause: err,
                mayHaveHappened: true,
              }),
            );
          }
          return;
        }
        reject(KeelError.fromStatus(status, isAbort(status, signal) ? signal?.reason : undefined));
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function isAbort(status: Status, signal: AbortSignal | undefined): boolean {
  return status.code === GrpcCode.CANCELLED && signal?.aborted === true;
}
