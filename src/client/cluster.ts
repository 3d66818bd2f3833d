import * as wire from '../wire/index.js';
import type { Caller, CallOptions } from './caller.js';
import type { Header } from './results.js';
import { toHeader } from './results.js';

const PATH = '/etcdserverpb.Cluster/';

export interface Member {
  readonly id: bigint;
  /** Empty until the member has started. */
  readonly name: string;
  readonly peerUrls: string[];
  readonly clientUrls: string[];
  readonly isLearner: boolean;
}

export interface MembersResult {
  readonly header: Header;
  /** After the change. */
  readonly members: Member[];
}

/** The cluster's members. */
export class ClusterService {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** @param options.linearizable false: what the asked member knows, without a quorum. Default true */
  async memberList(options: CallOptions & { readonly linearizable?: boolean } = {}): Promise<MembersResult> {
    const request = wire.MemberListRequest.encode({ linearizable: options.linearizable ?? true });
    return toMembers(await this.#caller.call(`${PATH}MemberList`, request, wire.MemberListResponse, 'read', options));
  }

  async memberAdd(
    peerUrls: readonly string[],
    options: CallOptions & { readonly isLearner?: boolean } = {},
  ): Promise<MembersResult & { readonly member: Member }> {
    const request = wire.MemberAddRequest.encode({ peerUrls: [...peerUrls], isLearner: options.isLearner ?? false });
    const reply = await this.#caller.call(`${PATH}MemberAdd`, request, wire.MemberAddResponse, 'write', options);
    return { ...toMembers(reply), member: reply.member ?? wire.Member.make() };
  }

  async memberRemove(id: bigint, options: CallOptions = {}): Promise<MembersResult> {
    const request = wire.MemberRemoveRequest.encode({ id });
    return toMembers(
      await this.#caller.call(`${PATH}MemberRemove`, request, wire.MemberRemoveResponse, 'write', options),
    );
  }

  async memberUpdate(id: bigint, peerUrls: readonly string[], options: CallOptions = {}): Promise<MembersResult> {
    const request = wire.MemberUpdateRequest.encode({ id, peerUrls: [...peerUrls] });
    return toMembers(
      await this.#caller.call(`${PATH}MemberUpdate`, request, wire.MemberUpdateResponse, 'write', options),
    );
  }

  /** Makes a learner a voter. */
  async memberPromote(id: bigint, options: CallOptions = {}): Promise<MembersResult> {
    const request = wire.MemberPromoteRequest.encode({ id });
    return toMembers(
      await this.#caller.call(`${PATH}MemberPromote`, request, wire.MemberPromoteResponse, 'write', options),
    );
  }
}

function toMembers(reply: { header: wire.ResponseHeader | null; members: wire.Member[] }): MembersResult {
  return { header: toHeader(reply.header), members: reply.members };
}
