import * as wire from '../../../wire/index.js';
import type { Io } from '../io.js';
import type { EndpointHash, EndpointStatus, GetStyle, Health, Printer, WatchOutput } from './printer.js';
import { ALARM_NAMES } from './printer.js';
import type { Rows } from './rows.js';
import { hashRows, memberRows, statusRows } from './rows.js';

const NEWLINE = Buffer.from('\n');

/** Lines for people, and for scripts that read lines. */
export class SimplePrinter implements Printer {
  readonly #io: Io;
  readonly #hex: boolean;

  constructor(io: Io, hex: boolean) {
    this.#io = io;
    this.#hex = hex;
  }

  get(r: wire.RangeResponse, style: GetStyle): void {
    for (const kv of r.kvs) this.#kv(kv, style);
  }

  put(r: wire.PutResponse): void {
    this.#line('OK');
    if (r.prevKv !== null) this.#kv(r.prevKv);
  }

  del(r: wire.DeleteRangeResponse): void {
    this.#line(String(r.deleted));
    for (const kv of r.prevKvs) this.#kv(kv);
  }

  txn(r: wire.TxnResponse): void {
    this.#line(r.succeeded ? 'SUCCESS' : 'FAILURE');
    for (const op of r.responses) {
      this.#line('');
      if (op.kind === wire.OpKind.PUT) this.put(op.response);
      else if (op.kind === wire.OpKind.RANGE) this.get(op.response, { keysOnly: false, valueOnly: false });
      else if (op.kind === wire.OpKind.DELETE_RANGE) this.del(op.response);
      else if (op.kind === wire.OpKind.TXN) this.txn(op.response);
    }
  }

  watch(r: WatchOutput): void {
    if (r.events.length === 0) {
      if (!r.canceled) this.#line(`progress notify: ${r.header.revision}`);
      return;
    }
    for (const e of r.events) {
      this.#line(e.type === wire.EventType.DELETE ? 'DELETE' : 'PUT');
      if (e.prevKv !== null) this.#kv(e.prevKv);
      if (e.kv !== null) this.#kv(e.kv);
    }
  }

  grant(r: wire.LeaseGrantResponse): void {
    this.#line(`lease ${id16(r.id)} granted with TTL(${r.ttl}s)`);
  }

  revoke(id: bigint): void {
    this.#line(`lease ${id16(id)} revoked`);
  }

  keepAlive(r: wire.LeaseKeepAliveResponse): void {
    this.#line(`lease ${id16(r.id)} keepalived with TTL(${r.ttl})`);
  }

  timeToLive(r: wire.LeaseTimeToLiveResponse, keys: boolean): void {
    if (r.grantedTtl === 0 && r.ttl === -1) {
      this.#line(`lease ${id16(r.id)} already expired`);
      return;
    }
    const text = `lease ${id16(r.id)} granted with TTL(${r.grantedTtl}s), remaining(${r.ttl}s)`;
    if (!keys) return this.#line(text);
    const names = Buffer.from(r.keys.join(' '), 'latin1');
    this.#io.out(Buffer.concat([Buffer.from(`${text}, attached keys([`), names, Buffer.from('])\n')]));
  }

  leases(r: wire.LeaseLeasesResponse): void {
    this.#line(`found ${r.leases.length} leases`);
    for (const lease of r.leases) this.#line(id16(lease.id));
  }

  memberAdd(r: wire.MemberAddResponse, learner: boolean): void {
    const how = learner ? 'added as learner to' : 'added to';
    this.#line(`Member ${id16spaces(r.member?.id ?? 0n)} ${how} cluster ${cluster(r.header)}`);
  }

  memberRemove(id: bigint, r: wire.MemberRemoveResponse): void {
    this.#line(`Member ${id16spaces(id)} removed from cluster ${cluster(r.header)}`);
  }

  memberUpdate(id: bigint, r: wire.MemberUpdateResponse): void {
    this.#line(`Member ${id16spaces(id)} updated in cluster ${cluster(r.header)}`);
  }

  memberPromote(id: bigint, r: wire.MemberPromoteResponse): void {
    this.#line(`Member ${id16spaces(id)} promoted in cluster ${cluster(r.header)}`);
  }

  memberList(r: wire.MemberListResponse): void {
    this.#rows(memberRows(r));
  }

  health(list: readonly Health[]): void {
    for (const h of list) {
      if (h.error === '') this.#line(`${h.endpoint} is healthy: successfully committed proposal: took = ${h.took}`);
      else this.#io.err(`${h.endpoint} is unhealthy: failed to commit proposal: ${h.error}\n`);
    }
  }

  status(list: readonly EndpointStatus[]): void {
    this.#rows(statusRows(list));
  }

  hashKv(list: readonly EndpointHash[]): void {
    this.#rows(hashRows(list));
  }

  alarm(r: wire.AlarmResponse): void {
    // The space at the end is that of a Go protobuf's text form.
    for (const a of r.alarms) this.#line(`memberID:${a.memberId} alarm:${ALARM_NAMES[a.alarm] ?? a.alarm} `);
  }

  downgrade(action: string, r: wire.DowngradeResponse): void {
    this.#line(`Downgrade ${action} success, cluster version ${r.version}`);
  }

  moveLeader(from: bigint, to: bigint): void {
    this.#line(`Leadership transferred from ${from.toString(16)} to ${to.toString(16)}`);
  }

  #rows({ rows }: Rows): void {
    for (const row of rows) this.#line(row.join(', '));
  }

  #kv(kv: wire.KeyValue, style: GetStyle = { keysOnly: false, valueOnly: false }): void {
    const parts: Buffer[] = [];
    if (!style.valueOnly) parts.push(this.#bytes(Buffer.from(kv.key, 'latin1')), NEWLINE);
    parts.push(this.#bytes(kv.value), NEWLINE);
    this.#io.out(Buffer.concat(parts));
  }

  #bytes(bytes: Buffer): Buffer {
    if (!this.#hex) return bytes;
    return Buffer.from(bytes.toString('hex').replace(/../g, '\\x$&'), 'latin1');
  }

  #line(text: string): void {
    this.#io.out(`${text}\n`);
  }
}

export function id16(id: bigint): string {
  return id < 0n ? `-${(-id).toString(16).padStart(15, '0')}` : id.toString(16).padStart(16, '0');
}

/** As Go's %16x. */
function id16spaces(id: bigint): string {
  return id.toString(16).padStart(16);
}

function cluster(header: wire.ResponseHeader | null): string {
  return id16spaces(header?.clusterId ?? 0n);
}
