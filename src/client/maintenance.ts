import * as wire from '../wire/index.js';
import type { Caller, CallOptions } from './caller.js';
import type { Status } from './core/status.js';
import { GrpcCode } from './core/status.js';
import { KeelError } from './errors.js';
import type { Header } from './results.js';
import { toHeader } from './results.js';

const PATH = '/etcdserverpb.Maintenance/';

export type AlarmName = 'NONE' | 'NOSPACE' | 'CORRUPT';

export interface Alarm {
  readonly memberId: bigint;
  readonly alarm: AlarmName;
}

export interface StatusResult {
  readonly header: Header;
  readonly version: string;
  readonly dbSize: number;
  /** 0n: it knows none. */
  readonly leader: bigint;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  readonly errors: string[];
  readonly dbSizeInUse: number;
  readonly isLearner: boolean;
  /** Since etcd 3.6; empty from older servers. */
  readonly storageVersion: string;
  /** Since etcd 3.6; 0 from older servers. */
  readonly dbSizeQuota: number;
  readonly downgrade: { readonly enabled: boolean; readonly targetVersion: string } | null;
}

export interface SnapshotChunk {
  /** After this chunk. */
  readonly remainingBytes: number;
  readonly blob: Buffer;
  /** Of the server; since etcd 3.6. */
  readonly version: string;
}

/** Care of single members. Where an endpoint is a parameter, that member is asked and no other. */
export class MaintenanceService {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async status(endpoint?: string, options: CallOptions = {}): Promise<StatusResult> {
    const r = await this.#caller.call(
      `${PATH}Status`,
      wire.StatusRequest.encode({}),
      wire.StatusResponse,
      'read',
      options,
      endpoint,
    );
    const { downgradeInfo, header, ...rest } = r;
    return { header: toHeader(header), ...rest, downgrade: downgradeInfo };
  }

  /** The hash of all keys and their history, up to a revision (0: now); equal on all members. */
  async hashKv(
    endpoint?: string,
    options: CallOptions & { readonly revision?: number } = {},
  ): Promise<{ header: Header; hash: number; compactRevision: number; hashRevision: number }> {
    const request = wire.HashKVRequest.encode({ revision: options.revision ?? 0 });
    const r = await this.#caller.call(`${PATH}HashKV`, request, wire.HashKVResponse, 'read', options, endpoint);
    return { ...r, header: toHeader(r.header) };
  }

  async alarms(options: CallOptions = {}): Promise<{ header: Header; alarms: Alarm[] }> {
    return this.#alarm({ action: wire.AlarmAction.GET, memberId: 0n, alarm: wire.AlarmType.NONE }, 'read', options);
  }

  /** Disarms one alarm. @returns those that were disarmed */
  async disarm(alarm: Alarm, options: CallOptions = {}): Promise<{ header: Header; alarms: Alarm[] }> {
    const request = {
      action: wire.AlarmAction.DEACTIVATE,
      memberId: alarm.memberId,
      alarm: wire.AlarmType[alarm.alarm],
    };
    return this.#alarm(request, 'write', options);
  }

  async #alarm(
    request: wire.AlarmRequest,
    repeat: 'read' | 'write',
    options: CallOptions,
  ): Promise<{ header: Header; alarms: Alarm[] }> {
    const bytes = wire.AlarmRequest.encode(request);
    const r = await this.#caller.call(`${PATH}Alarm`, bytes, wire.AlarmResponse, repeat, options);
    return {
      header: toHeader(r.header),
      alarms: r.alarms.map((a) => ({ memberId: a.memberId, alarm: ALARM_NAMES[a.alarm] ?? 'NONE' })),
    };
  }

  async defragment(endpoint?: string, options: CallOptions = {}): Promise<{ header: Header }> {
    const request = wire.DefragmentRequest.encode({});
    const r = await this.#caller.call(
      `${PATH}Defragment`,
      request,
      wire.DefragmentResponse,
      'write',
      options,
      endpoint,
    );
    return { header: toHeader(r.header) };
  }

  /** Hands leadership to a member. @param endpoint of the present leader; others refuse with ERR_NOT_LEADER */
  async moveLeader(targetId: bigint, endpoint?: string, options: CallOptions = {}): Promise<{ header: Header }> {
    const request = wire.MoveLeaderRequest.encode({ targetId });
    const r = await this.#caller.call(
      `${PATH}MoveLeader`,
      request,
      wire.MoveLeaderResponse,
      'write',
      options,
      endpoint,
    );
    return { header: toHeader(r.header) };
  }

  async downgrade(
    action: 'validate' | 'enable' | 'cancel',
    version: string,
    options: CallOptions = {},
  ): Promise<{ header: Header; version: string }> {
    const request = wire.DowngradeRequest.encode({ action: DOWNGRADE_ACTIONS[action], version });
    const r = await this.#caller.call(`${PATH}Downgrade`, request, wire.DowngradeResponse, 'write', options);
    return { header: toHeader(r.header), version: r.version };
  }

  /**
   * The whole database of a member as a file in etcd's format, in pieces; the last 32 bytes are its sha256.
   * A break of the connection ends it with an error; a consumer that stops early cancels it.
   */
  async *snapshot(endpoint?: string, options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<SnapshotChunk> {
    const { signal } = options;
    if (signal?.aborted) throw KeelError.canceled(signal.reason);
    const queue: SnapshotChunk[] = [];
    let end: Status | null = null;
    let wake: (() => void) | null = null;
    const wakeUp = () => {
      wake?.();
      wake = null;
    };
    const stream = this.#caller.core.stream(`${PATH}Snapshot`, wire.SnapshotRequest.encode({}), endpoint ?? null, {
      message: (reply) => {
        queue.push(wire.SnapshotResponse.decode(reply));
        if (queue.length >= SNAPSHOT_AHEAD) stream.pause();
        wakeUp();
      },
      end: (status) => {
        end = status;
        wakeUp();
      },
    });
    signal?.addEventListener('abort', wakeUp, { once: true });
    try {
      for (;;) {
        if (signal?.aborted) throw KeelError.canceled(signal.reason);
        const chunk = queue.shift();
        if (chunk !== undefined) {
          if (queue.length === 0) stream.resume();
          yield chunk;
        } else if (end !== null) {
          if ((end as Status).code !== GrpcCode.OK) throw KeelError.fromStatus(end);
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal?.removeEventListener('abort', wakeUp);
      stream.cancel();
    }
  }
}

/** Chunks (of 32 KiB at etcd) that wait for the consumer before the stream is held. */
const SNAPSHOT_AHEAD = 16;
const ALARM_NAMES: readonly AlarmName[] = ['NONE', 'NOSPACE', 'CORRUPT'];
const DOWNGRADE_ACTIONS = {
  validate: wire.DowngradeAction.VALIDATE,
  enable: wire.DowngradeAction.ENABLE,
  cancel: wire.DowngradeAction.CANCEL,
};
