import * as wire from '../../../wire/index.js';
import type { Io } from '../io.js';
import type { EndpointHash, EndpointStatus, Health, Printer, WatchOutput } from './printer.js';

/** A value that is JSON text already. */
class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Fields = readonly (readonly [name: string, value: unknown])[];

/**
 * As Go's encoding/json writes the structs behind the answers: proto names in proto order, zeros left out, every
 * integer a number, bytes in base64, enums as numbers. Where etcd's client wraps an answer in a struct of its own,
 * the shape is that struct's (etcd operations, section 5.5).
 */
export class JsonPrinter implements Printer {
  readonly #io: Io;
  readonly #hex: boolean;

  constructor(io: Io, hex: boolean) {
    this.#io = io;
    this.#hex = hex;
  }

  get(r: wire.RangeResponse): void {
    this.message(wire.RangeResponse, r);
  }

  put(r: wire.PutResponse): void {
    this.message(wire.PutResponse, r);
  }

  del(r: wire.DeleteRangeResponse): void {
    this.message(wire.DeleteRangeResponse, r);
  }

  txn(r: wire.TxnResponse): void {
    this.message(wire.TxnResponse, r);
  }

  watch(r: WatchOutput): void {
    this.#print(
      object([
        ['Header', raw(wire.ResponseHeader, r.header)],
        ['Events', r.events.length === 0 ? null : r.events.map((e) => raw(wire.Event, e))],
        ['CompactRevision', r.compactRevision],
        ['Canceled', r.canceled],
        ['Created', false],
      ]),
    );
  }

  grant(r: wire.LeaseGrantResponse): void {
    const error: Fields = [['Error', r.error]];
    this.#print(object([...headerFields(r.header), ['ID', r.id], ['TTL', r.ttl], ...error]));
  }

  revoke(_id: bigint, r: wire.LeaseRevokeResponse): void {
    this.message(wire.LeaseRevokeResponse, r);
  }

  keepAlive(r: wire.LeaseKeepAliveResponse): void {
    this.#print(object([...headerFields(r.header), ['ID', r.id], ['TTL', r.ttl]]));
  }

  timeToLive(r: wire.LeaseTimeToLiveResponse): void {
    const keys = r.keys.map((key) => Buffer.from(key, 'latin1').toString('base64'));
    this.#print(
      object([
        ...headerFields(r.header),
        ['id', r.id],
        ['ttl', r.ttl],
        ['granted-ttl', r.grantedTtl],
        ['keys', keys.length === 0 ? null : keys],
      ]),
    );
  }

  leases(r: wire.LeaseLeasesResponse): void {
    const leases = r.leases.map((lease) => new Raw(object([['id', lease.id]])));
    this.#print(object([...headerFields(r.header), ['leases', leases]]));
  }

  memberAdd(r: wire.MemberAddResponse): void {
    if (!this.#hex) return this.message(wire.MemberAddResponse, r);
    const member: Fields = r.member === null ? [] : [['member', hexMember(r.member)]];
    this.#print(object([['header', hexHeader(r.header)], ...member, ['members', r.members.map(hexMember)]]));
  }

  memberRemove(_id: bigint, r: wire.MemberRemoveResponse): void {
    this.#members(wire.MemberRemoveResponse, r);
  }

  memberUpdate(_id: bigint, r: wire.MemberUpdateResponse): void {
    this.#members(wire.MemberUpdateResponse, r);
  }

  memberPromote(_id: bigint, r: wire.MemberPromoteResponse): void {
    this.message(wire.MemberPromoteResponse, r);
  }

  memberList(r: wire.MemberListResponse): void {
    this.#members(wire.MemberListResponse, r);
  }

  health(list: readonly Health[]): void {
    this.#print(
      value(
        list.map(
          (h) =>
            new Raw(
              object([
                ['endpoint', h.endpoint],
                ['health', h.health],
                ['took', h.took],
                ...(h.error === '' ? [] : [['error', h.error] as const]),
              ]),
            ),
        ),
      ),
    );
  }

  status(list: readonly EndpointStatus[]): void {
    this.#endpoints(
      'Status',
      list.map(({ endpoint, status }) => [endpoint, raw(wire.StatusResponse, status)]),
    );
  }

  hashKv(list: readonly EndpointHash[]): void {
    this.#endpoints(
      'HashKV',
      list.map(({ endpoint, hash }) => [endpoint, raw(wire.HashKVResponse, hash)]),
    );
  }

  alarm(r: wire.AlarmResponse): void {
    this.message(wire.AlarmResponse, r);
  }

  downgrade(_action: string, r: wire.DowngradeResponse): void {
    this.message(wire.DowngradeResponse, r);
  }

  moveLeader(_from: bigint, _to: bigint, r: wire.MoveLeaderResponse): void {
    this.message(wire.MoveLeaderResponse, r);
  }

  #members(codec: wire.AnyCodec, r: { header: wire.ResponseHeader | null; members: wire.Member[] }): void {
    if (!this.#hex) return this.message(codec, r);
    this.#print(
      object([
        ['header', hexHeader(r.header)],
        ['members', r.members.map(hexMember)],
      ]),
    );
  }

  #endpoints(name: string, list: readonly (readonly [string, Raw])[]): void {
    const items = list.map(
      ([endpoint, text]) =>
        new Raw(
          object([
            ['Endpoint', endpoint],
            [name, text],
          ]),
        ),
    );
    this.#print(value(items));
  }

  /** A message as it is. */
  message(codec: wire.AnyCodec, message: object): void {
    this.#print(messageText(codec, message as Record<string, unknown>));
  }

  #print(text: string): void {
    this.#io.out(`${text}\n`);
  }
}

function raw(codec: wire.AnyCodec, message: object): Raw {
  return new Raw(messageText(codec, message as Record<string, unknown>));
}

function messageText(codec: wire.AnyCodec, message: Record<string, unknown>): string {
  const fields: [string, unknown][] = [];
  for (const f of codec.fields) {
    if (f.oneof !== null) {
      if (message[f.oneof.tag] !== f.number) continue;
      // Go names the oneof itself, then the member that is set.
      const inner = messageText((f.message as () => wire.AnyCodec)(), message[f.oneof.value ?? f.name] as never);
      return object([['Response', new Raw(object([[f.proto, new Raw(inner)]]))]]);
    }
    const v = message[f.name];
    if (f.repeated) {
      const items = v as unknown[];
      if (items.length > 0) fields.push([f.proto, items.map((item) => fieldValue(f, item))]);
    } else if (!isZero(v)) fields.push([f.proto, fieldValue(f, v)]);
  }
  return object(fields);
}

function fieldValue(f: wire.NamedField, v: unknown): unknown {
  switch (f.kind) {
    case 'message':
      return new Raw(messageText((f.message as () => wire.AnyCodec)(), v as Record<string, unknown>));
    case 'key':
      return Buffer.from(v as string, 'latin1').toString('base64');
    case 'text':
      return Buffer.from(v as string, 'utf8').toString('base64');
    case 'bytes':
      return (v as Buffer).toString('base64');
    default:
      return v;
  }
}

function isZero(v: unknown): boolean {
  return v === null || v === 0 || v === 0n || v === '' || v === false || (Buffer.isBuffer(v) && v.length === 0);
}

function headerFields(header: wire.ResponseHeader | null): Fields {
  const h = header ?? wire.makeResponseHeader();
  const all: Fields = [
    ['cluster_id', h.clusterId],
    ['member_id', h.memberId],
    ['revision', h.revision],
    ['raft_term', h.raftTerm],
  ];
  return all.filter(([, v]) => !isZero(v));
}

function hexHeader(header: wire.ResponseHeader | null): Raw {
  const h = header ?? wire.makeResponseHeader();
  const ids: Fields = [
    ['cluster_id', h.clusterId.toString(16)],
    ['member_id', h.memberId.toString(16)],
  ];
  return new Raw(
    object([
      ...ids,
      ...headerFields(h)
        .slice(-2)
        .filter(([name]) => !name.endsWith('_id')),
    ]),
  );
}

function hexMember(m: wire.Member): Raw {
  const rest = messageText(wire.Member, { ...m, id: 0n }).slice(1);
  return new Raw(`{"ID":"${m.id.toString(16)}"${rest === '}' ? rest : `,${rest}`}`);
}

function object(fields: Fields): string {
  return `{${fields.map(([name, v]) => `"${name}":${value(v)}`).join(',')}}`;
}

function value(v: unknown): string {
  if (v instanceof Raw) return v.text;
  if (typeof v === 'bigint') return v.toString();
  if (typeof v === 'string') return escapeHtml(JSON.stringify(v));
  if (Array.isArray(v)) return `[${v.map(value).join(',')}]`;
  return JSON.stringify(v);
}

/** Go's JSON is safe to stand in HTML. */
function escapeHtml(text: string): string {
  return text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
