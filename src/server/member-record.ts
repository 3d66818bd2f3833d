import type { MemberInfo } from './api.js';

/**
 * One member as etcd writes it, in the context of a configuration change and in the `members` bucket (wire spec 6, 7.4):
 * `{"id":<u64 number>,"peerURLs":[…],"isLearner":true?,"name":…?,"clientURLs":[…]?}`.
 */
export class MemberRecord implements MemberInfo {
  readonly id: bigint;
  readonly peerUrls: string[];
  readonly isLearner: boolean;
  readonly name: string;
  readonly clientUrls: string[];

  constructor(
    id: bigint,
    peerUrls: readonly string[],
    isLearner = false,
    name = '',
    clientUrls: readonly string[] = [],
  ) {
    this.id = id;
    this.peerUrls = [...peerUrls];
    this.isLearner = isLearner;
    this.name = name;
    this.clientUrls = [...clientUrls];
  }

  promoted(): MemberRecord {
    return new MemberRecord(this.id, this.peerUrls, false, this.name, this.clientUrls);
  }

  withPeerUrls(urls: readonly string[]): MemberRecord {
    return new MemberRecord(this.id, urls, this.isLearner, this.name, this.clientUrls);
  }

  withAttributes(name: string, clientUrls: readonly string[]): MemberRecord {
    return new MemberRecord(this.id, this.peerUrls, this.isLearner, name, clientUrls);
  }

  /** @param isPromote present in the context of an add or a promotion alone */
  json(isPromote?: boolean): string {
    const rest: Record<string, unknown> = { peerURLs: this.peerUrls };
    if (this.isLearner) rest.isLearner = true;
    if (this.name !== '') rest.name = this.name;
    if (this.clientUrls.length > 0) rest.clientURLs = this.clientUrls;
    if (isPromote !== undefined) rest.isPromote = isPromote;
    // The id is an unsigned 64-bit number, which JSON.stringify cannot write.
    return `{"id":${this.id},${JSON.stringify(rest).slice(1)}`;
  }

  static parse(json: string): MemberRecord {
    return parseMember(json).member;
  }
}

/** Reads a member's JSON; `isPromote` is false where it is absent. */
export function parseMember(json: string): { member: MemberRecord; isPromote: boolean } {
  const fields = JSON.parse(json.replace(/"id"\s*:\s*(\d+)/, '"id":"$1"')) as Record<string, unknown>;
  const member = new MemberRecord(
    BigInt((fields.id as string | undefined) ?? '0'),
    strings(fields.peerURLs),
    fields.isLearner === true,
    typeof fields.name === 'string' ? fields.name : '',
    strings(fields.clientURLs),
  );
  return { member, isPromote: fields.isPromote === true };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** A member for msgpack, which has no 64-bit ids. */
export function memberToWire(member: MemberInfo): Record<string, unknown> {
  return { ...member, id: member.id.toString() };
}

export function memberFromWire(wire: unknown): MemberInfo {
  const { id, peerUrls, isLearner, name, clientUrls } = wire as MemberInfo & { id: unknown };
  return new MemberRecord(BigInt(String(id)), peerUrls, isLearner, name, clientUrls);
}
