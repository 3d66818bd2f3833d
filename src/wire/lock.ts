import type { MessageType } from './codec.js';
import { define, id, key, message } from './codec.js';
import { ResponseHeader } from './response-header.js';

const header = message(1, () => ResponseHeader);

export const LockRequest = define('v3lockpb.LockRequest', { name: key(1), lease: id(2) });
export type LockRequest = MessageType<typeof LockRequest>;
export const LockResponse = define('v3lockpb.LockResponse', { header, key: key(2) });
export type LockResponse = MessageType<typeof LockResponse>;

export const UnlockRequest = define('v3lockpb.UnlockRequest', { key: key(1) });
export type UnlockRequest = MessageType<typeof UnlockRequest>;
export const UnlockResponse = define('v3lockpb.UnlockResponse', { header });
export type UnlockResponse = MessageType<typeof UnlockResponse>;
