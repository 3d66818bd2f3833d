import type { Codec, MessageType } from './codec.js';
import { bool, define, int, message } from './codec.js';
import { ResponseHeader } from './response-header.js';

export const CompactionRequest = define('etcdserverpb.CompactionRequest', { revision: int(1), physical: bool(2) });
export type CompactionRequest = MessageType<typeof CompactionRequest>;

/** A response that is a header and nothing else. */
export interface HeaderOnly {
  header: ResponseHeader | null;
}

/** @param name without the package, which is etcdserverpb */
export function headerOnly(name: string): Codec<HeaderOnly> {
  return define(`etcdserverpb.${name}`, { header: message(1, () => ResponseHeader) });
}

export const CompactionResponse = headerOnly('CompactionResponse');
export type CompactionResponse = HeaderOnly;
