import * as wire from '../../../wire/index.js';
import { Exit, Fail } from '../fail.js';
import { quote } from '../go.js';
import type { Io } from '../io.js';
import type { EndpointHash, EndpointStatus, Health, Printer, WatchOutput } from './printer.js';
import { ALARM_NAMES } from './printer.js';
import { id16 } from './simple.js';

/** One `"Name" : value` a line. With --hex ids are hexadecimal. */
export class FieldsPrinter implements Printer {
  readonly #io: Io;
  readonly #hex: boolean;

  constructor(io: Io, hex: boolean) {
    this.#io = io;
    this.#hex = hex;
  }

  get(r: wire.RangeResponse): void {
    this.header(r.header);
    for (const kv of r.kvs) this.#kv('', kv);
    this.#field('More', r.more);
    this.#field('Count', r.count);
  }

  put(r: wire.PutResponse): void {
    this.header(r.header);
    if (r.prevKv !== null) this.#kv('Prev', r.prevKv);
  }

  del(r: wire.DeleteRangeResponse): void {
    this.header(r.header);
    this.#field('Deleted', r.deleted);
    for (const kv of r.prevKvs) this.#kv('Prev', kv);
  }

  txn(r: wire.TxnResponse): void {
    this.header(r.header);
    this.#field('Succeeded', r.succeeded);
    for (const op of r.responses) {
      if (op.kind === wire.OpKind.PUT) this.put(op.response);
      else if (op.kind === wire.OpKind.RANGE) this.get(op.response);
      else if (op.kind === wire.OpKind.DELETE_RANGE) this.del(op.response);
      else if (op.kind === wire.OpKind.TXN) this.txn(op.response);
    }
  }

  watch(r: WatchOutput): void {
    this.header(r.header);
    for (const e of r.events) {
      this.#field('Type', e.type === wire.EventType.DELETE ? 'DELETE' : 'PUT');
      if (e.prevKv !== null) this.#kv('Prev', e.prevKv);
      if (e.kv !== null) this.#kv('', e.kv);
    }
  }

  grant(r: wire.LeaseGrantResponse): void {
    this.header(r.header);
    this.#lease('ID', r.id);
    this.#field('TTL', r.ttl);
  }

  revoke(_id: bigint, r: wire.LeaseRevokeResponse): void {
    this.header(r.header);
  }

  keepAlive(r: wire.LeaseKeepAliveResponse): void {
    this.header(r.header);
    this.#lease('ID', r.id);
    this.#field('TTL', r.ttl);
  }

  timeToLive(r: wire.LeaseTimeToLiveResponse): void {
    this.header(r.header);
    this.#lease('ID', r.id);
    this.#field('TTL', r.ttl);
    this.#field('GrantedTTL', r.grantedTtl);
    for (const key of r.keys) this.#field('Key', quoteKey(key));
  }

  leases(r: wire.LeaseLeasesResponse): void {
    this.header(r.header);
    for (const lease of r.leases) this.#lease('ID', lease.id);
  }

  memberAdd(): void {
    throw unsupported();
  }

  memberRemove(): void {
    throw unsupported();
  }

  memberUpdate(): void {
    throw unsupported();
  }

  memberPromote(): void {
    throw unsupported();
  }

  memberList(r: wire.MemberListResponse): void {
    this.header(r.header);
    for (const m of r.members) {
      this.#id('ID', m.id);
      this.#field('Name', quote(m.name));
      for (const url of m.peerUrls) this.#field('PeerURL', quote(url));
      for (const url of m.clientUrls) this.#field('ClientURL', quote(url));
      this.#field('IsLearner', m.isLearner);
      this.#line('');
    }
  }

  health(list: readonly Health[]): void {
    for (const h of list) {
      this.#field('Endpoint', quote(h.endpoint));
      this.#field('Health', h.health);
      this.#field('Took', h.took);
      this.#field('Error', h.error);
      this.#line('');
    }
  }

  status(list: readonly EndpointStatus[]): void {
    for (const { endpoint, status } of list) {
      this.header(status.header);
      this.#field('Version', quote(status.version));
      this.#field('StorageVersion', quote(status.storageVersion));
      this.#field('DBSize', status.dbSize);
      this.#field('DBSizeInUse', status.dbSizeInUse);
      this.#field('DBSizeQuota', status.dbSizeQuota);
      this.#id('Leader', status.leader);
      this.#field('IsLearner', status.isLearner);
      this.#field('RaftIndex', status.raftIndex);
      this.#field('RaftTerm', status.raftTerm);
      this.#field('RaftAppliedIndex', status.raftAppliedIndex);
      this.#field('Errors', `[${status.errors.join(' ')}]`);
      this.#field('Endpoint', quote(endpoint));
      this.#field('DowngradeTargetVersion', quote(status.downgradeInfo?.targetVersion ?? ''));
      this.#field('DowngradeEnabled', status.downgradeInfo?.enabled ?? false);
      this.#line('');
    }
  }

  hashKv(list: readonly EndpointHash[]): void {
    for (const { endpoint, hash } of list) {
      this.header(hash.header);
      this.#field('Endpoint', quote(endpoint));
      this.#field('Hash', hash.hash);
      this.#field('HashRevision', hash.hashRevision);
      this.#line('');
    }
  }

  alarm(r: wire.AlarmResponse): void {
    this.header(r.header);
    for (const a of r.alarms) {
      this.#id('MemberID', a.memberId);
      this.#field('AlarmType', ALARM_NAMES[a.alarm] ?? a.alarm);
      this.#line('');
    }
  }

  downgrade(): void {
    throw unsupported();
  }

  moveLeader(): void {
    throw unsupported();
  }

  /** The lines that every answer begins with. */
  header(header: wire.ResponseHeader | null): void {
    this.#id('ClusterID', header?.clusterId ?? 0n);
    this.#id('MemberID', header?.memberId ?? 0n);
    const revision = header?.revision ?? 0;
    // Answers about the cluster itself have none.
    if (revision > 0) this.#field('Revision', revision);
    this.#field('RaftTerm', header?.raftTerm ?? 0);
  }

  #kv(prefix: string, kv: wire.KeyValue): void {
    this.#field(`${prefix}Key`, quoteKey(kv.key));
    this.#field(`${prefix}CreateRevision`, kv.createRevision);
    this.#field(`${prefix}ModRevision`, kv.modRevision);
    this.#field(`${prefix}Version`, kv.version);
    this.#field(`${prefix}Value`, quote(kv.value));
    this.#lease(`${prefix}Lease`, kv.lease);
  }

  #id(name: string, id: bigint): void {
    this.#field(name, this.#hex ? id.toString(16) : id);
  }

  #lease(name: string, id: bigint): void {
    this.#field(name, this.#hex ? id16(id) : id);
  }

  #field(name: string, value: string | number | bigint | boolean): void {
    this.#line(`"${name}" : ${value}`);
  }

  #line(text: string): void {
    this.#io.out(`${text}\n`);
  }
}

function quoteKey(key: string): string {
  return quote(Buffer.from(key, 'latin1'));
}

function unsupported(): Fail {
  return new Fail(Exit.BAD_FEATURE, 'fields not supported as output format');
}
