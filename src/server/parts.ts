import type { AuthStore, TokenProvider } from '../auth/index.js';
import type { Lessor } from '../lease/index.js';
import type { MvccStore } from '../mvcc/index.js';
import type { PeerHub } from '../peer/index.js';
import type { Raft } from '../raft/index.js';
import type { StoredBackend } from '../storage/backend/index.js';
import type { Wal } from '../storage/wal/index.js';
import type { Env } from '../util/env.js';
import type { Alarms } from './alarms.js';
import type { MemberConfig } from './config.js';
import type { Membership } from './membership.js';

/** The parts of a member, opened and in agreement with each other (open.ts). */
export interface MemberParts {
  readonly env: Env;
  readonly config: MemberConfig;
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly raft: Raft;
  readonly wal: Wal;
  readonly backend: StoredBackend;
  readonly mvcc: MvccStore;
  readonly lessor: Lessor;
  readonly membership: Membership;
  readonly alarms: Alarms;
  readonly auth: AuthStore;
  readonly tokens: TokenProvider;
  readonly hub: PeerHub;
  readonly clusterVersion: string | null;
  /** Of the hard state that the log holds. */
  readonly commit: number;
  /** The log may have lost what was acknowledged: the vote is withheld until a leader has caught us up. */
  readonly uncertain: boolean;
}

/** What the owner of a member hears of it. */
export interface MemberEvents {
  /** The member has published itself: it serves clients from now on. */
  onReady: (() => void) | null;
  /** It was removed from the cluster, and has stopped itself. */
  onEnded: (() => void) | null;
}
