/** The TypeScript client of Keel and of any etcd v3: `import { KeelClient } from 'keel/client'`. */
export { AuthService, type Permission, type PermissionKind } from './auth.js';
export { type Bytes, type KeyRange, prefixEnd } from './bytes.js';
export type { Caller, CallOptions } from './caller.js';
export { ClusterService, type Member, type MembersResult } from './cluster.js';
export type { ClientEnv } from './core/env.js';
export { GrpcCode, type Status } from './core/status.js';
export type {
  Call as TransportCall,
  CallOptions as TransportCallOptions,
  Connection,
  Dialer,
  Metadata,
  Stream,
  StreamHandlers,
  UnaryDone,
} from './core/transport.js';
export { Election } from './election.js';
export { KeelError } from './errors.js';
export { GrpcDialer, type GrpcDialerOptions, type TlsOptions } from './grpc-transport.js';
export { KeelClient, type KeelClientOptions } from './keel-client.js';
export { KvService } from './kv.js';
export {
  KeepAlive,
  type LeaseGrantResult,
  type LeaseKeepAliveResult,
  LeaseService,
  type LeaseTimeToLiveResult,
} from './lease.js';
export {
  type Alarm,
  type AlarmName,
  MaintenanceService,
  type SnapshotChunk,
  type StatusResult,
} from './maintenance.js';
export { Mutex } from './mutex.js';
export {
  Compare,
  type Comparison,
  type DeleteOptions,
  type GetOptions,
  type LeaseId,
  Op,
  type PutOptions,
  Txn,
  type TxnSpec,
} from './ops.js';
export type {
  DeleteResult,
  Header,
  KeyValue,
  OpResult,
  PutResult,
  RangeResult,
  TxnResult,
  WatchEvent,
} from './results.js';
export { Session } from './session.js';
export { Watch, type WatchBatch, type WatchEvents, type WatchOptions } from './watch.js';
