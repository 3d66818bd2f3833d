import type { MessageType } from './codec.js';
import { bytes, define, id, int, key, message } from './codec.js';
import { KeyValue } from './key-value.js';
import { ResponseHeader } from './response-header.js';

const header = message(1, () => ResponseHeader);

export const LeaderKey = define('v3electionpb.LeaderKey', { name: key(1), key: key(2), rev: int(3), lease: id(4) });
export type LeaderKey = MessageType<typeof LeaderKey>;

export const CampaignRequest = define('v3electionpb.CampaignRequest', { name: key(1), lease: id(2), value: bytes(3) });
export type CampaignRequest = MessageType<typeof CampaignRequest>;
export const CampaignResponse = define('v3electionpb.CampaignResponse', {
  header,
  leader: message(2, () => LeaderKey),
});
export type CampaignResponse = MessageType<typeof CampaignResponse>;

export const LeaderRequest = define('v3electionpb.LeaderRequest', { name: key(1) });
export type LeaderRequest = MessageType<typeof LeaderRequest>;
export const LeaderResponse = define('v3electionpb.LeaderResponse', { header, kv: message(2, () => KeyValue) });
export type LeaderResponse = MessageType<typeof LeaderResponse>;

export const ProclaimRequest = define('v3electionpb.ProclaimRequest', {
  leader: message(1, () => LeaderKey),
  value: bytes(2),
});
export type ProclaimRequest = MessageType<typeof ProclaimRequest>;
export const ProclaimResponse = define('v3electionpb.ProclaimResponse', { header });
export type ProclaimResponse = MessageType<typeof ProclaimResponse>;

export const ResignRequest = define('v3electionpb.ResignRequest', { leader: message(1, () => LeaderKey) });
export type ResignRequest = MessageType<typeof ResignRequest>;
export const ResignResponse = define('v3electionpb.ResignResponse', { header });
export type ResignResponse = MessageType<typeof ResignResponse>;
