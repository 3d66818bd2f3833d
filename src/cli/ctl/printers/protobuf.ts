import * as wire from '../../../wire/index.js';
import { Exit, Fail } from '../fail.js';
import type { Io } from '../io.js';
import type { Printer, WatchOutput } from './printer.js';

/**
 * The marshalled answer, and nothing around it. Lease answers are their header only: that is what etcdctl gives,
 * whose client wraps them in structs that marshal as the header they embed.
 */
export class ProtobufPrinter implements Printer {
  readonly #io: Io;

  constructor(io: Io) {
    this.#io = io;
  }

  get(r: wire.RangeResponse): void {
    this.#io.out(wire.RangeResponse.encode(r));
  }

  put(r: wire.PutResponse): void {
    this.#io.out(wire.PutResponse.encode(r));
  }

  del(r: wire.DeleteRangeResponse): void {
    this.#io.out(wire.DeleteRangeResponse.encode(r));
  }

  txn(r: wire.TxnResponse): void {
    this.#io.out(wire.TxnResponse.encode(r));
  }

  watch(r: WatchOutput): void {
    const { header, events, compactRevision, canceled } = r;
    this.#io.out(wire.WatchResponse.encode({ header, events: [...events], compactRevision, canceled }));
  }

  grant(r: wire.LeaseGrantResponse): void {
    this.#header(r.header);
  }

  revoke(_id: bigint, r: wire.LeaseRevokeResponse): void {
    this.#io.out(wire.LeaseRevokeResponse.encode(r));
  }

  keepAlive(r: wire.LeaseKeepAliveResponse): void {
    this.#header(r.header);
  }

  timeToLive(r: wire.LeaseTimeToLiveResponse): void {
    this.#header(r.header);
  }

  leases(r: wire.LeaseLeasesResponse): void {
    this.#header(r.header);
  }

  memberAdd(r: wire.MemberAddResponse): void {
    this.#io.out(wire.MemberAddResponse.encode(r));
  }

  memberRemove(_id: bigint, r: wire.MemberRemoveResponse): void {
    this.#io.out(wire.MemberRemoveResponse.encode(r));
  }

  memberUpdate(_id: bigint, r: wire.MemberUpdateResponse): void {
    this.#io.out(wire.MemberUpdateResponse.encode(r));
  }

  memberPromote(_id: bigint, r: wire.MemberPromoteResponse): void {
    this.#io.out(wire.MemberPromoteResponse.encode(r));
  }

  memberList(r: wire.MemberListResponse): void {
    this.#io.out(wire.MemberListResponse.encode(r));
  }

  health(): void {
    throw unsupported();
  }

  status(): void {
    throw unsupported();
  }

  hashKv(): void {
    throw unsupported();
  }

  alarm(r: wire.AlarmResponse): void {
    this.#io.out(wire.AlarmResponse.encode(r));
  }

  downgrade(_action: string, r: wire.DowngradeResponse): void {
    this.#io.out(wire.DowngradeResponse.encode(r));
  }

  moveLeader(_from: bigint, _to: bigint, r: wire.MoveLeaderResponse): void {
    this.#io.out(wire.MoveLeaderResponse.encode(r));
  }

  #header(header: wire.ResponseHeader | null): void {
    if (header !== null) this.#io.out(wire.ResponseHeader.encode(header));
  }
}

function unsupported(): Fail {
  return new Fail(Exit.BAD_FEATURE, 'protobuf not supported as output format');
}
