import protobuf from 'protobufjs';

/**
 * The part of the wire contract that the tests' raw client speaks, described a second time and read by protobuf.js:
 * a mistake in src/wire must not hide behind the same mistake in its test.
 */
const SOURCE = `
syntax = "proto3";
package t;
message Hdr { uint64 cluster_id = 1; uint64 member_id = 2; int64 revision = 3; uint64 raft_term = 4; }
message KeyValue { bytes key = 1; int64 create_revision = 2; int64 mod_revision = 3; int64 version = 4; bytes value = 5; int64 lease = 6; }
message Event { int32 type = 1; KeyValue kv = 2; KeyValue prev_kv = 3; }
message RangeRequest {
  bytes key = 1; bytes range_end = 2; int64 limit = 3; int64 revision = 4; int32 sort_order = 5; int32 sort_target = 6;
  bool serializable = 7; bool keys_only = 8; bool count_only = 9;
}
message RangeResponse { Hdr header = 1; repeated KeyValue kvs = 2; bool more = 3; int64 count = 4; }
message PutRequest { bytes key = 1; bytes value = 2; int64 lease = 3; bool prev_kv = 4; bool ignore_value = 5; bool ignore_lease = 6; }
message PutResponse { Hdr header = 1; KeyValue prev_kv = 2; }
message DeleteRangeRequest { bytes key = 1; bytes range_end = 2; bool prev_kv = 3; }
message DeleteRangeResponse { Hdr header = 1; int64 deleted = 2; repeated KeyValue prev_kvs = 3; }
message RequestOp { oneof request {
  RangeRequest request_range = 1; PutRequest request_put = 2; DeleteRangeRequest request_delete_range = 3; TxnRequest request_txn = 4; } }
message ResponseOp { oneof response {
  RangeResponse response_range = 1; PutResponse response_put = 2; DeleteRangeResponse response_delete_range = 3; TxnResponse response_txn = 4; } }
message Compare { int32 result = 1; int32 target = 2; bytes key = 3;
  oneof target_union { int64 version = 4; int64 create_revision = 5; int64 mod_revision = 6; bytes value = 7; int64 lease = 8; }
  bytes range_end = 64; }
message TxnRequest { repeated Compare compare = 1; repeated RequestOp success = 2; repeated RequestOp failure = 3; }
message TxnResponse { Hdr header = 1; bool succeeded = 2; repeated ResponseOp responses = 3; }
message CompactionRequest { int64 revision = 1; bool physical = 2; }
message CompactionResponse { Hdr header = 1; }
message WatchRequest { oneof request_union {
  WatchCreateRequest create_request = 1; WatchCancelRequest cancel_request = 2; WatchProgressRequest progress_request = 3; } }
message WatchCreateRequest { bytes key = 1; bytes range_end = 2; int64 start_revision = 3; bool progress_notify = 4;
  repeated int32 filters = 5; bool prev_kv = 6; int64 watch_id = 7; bool fragment = 8; }
message WatchCancelRequest { int64 watch_id = 1; }
message WatchProgressRequest { }
message WatchResponse { Hdr header = 1; int64 watch_id = 2; bool created = 3; bool canceled = 4; int64 compact_revision = 5;
  string cancel_reason = 6; bool fragment = 7; repeated Event events = 11; }
message LeaseGrantRequest { int64 TTL = 1; int64 ID = 2; }
message LeaseGrantResponse { Hdr header = 1; int64 ID = 2; int64 TTL = 3; string error = 4; }
message LeaseRevokeRequest { int64 ID = 1; }
message LeaseRevokeResponse { Hdr header = 1; }
message LeaseTimeToLiveRequest { int64 ID = 1; bool keys = 2; }
message LeaseTimeToLiveResponse { Hdr header = 1; int64 ID = 2; int64 TTL = 3; int64 grantedTTL = 4; repeated bytes keys = 5; }
message LeaseKeepAliveRequest { int64 ID = 1; }
message LeaseKeepAliveResponse { Hdr header = 1; int64 ID = 2; int64 TTL = 3; }
message StatusRequest { }
message StatusResponse { Hdr header = 1; string version = 2; int64 dbSize = 3; uint64 leader = 4; uint64 raftIndex = 5; uint64 raftTerm = 6;
  uint64 raftAppliedIndex = 7; repeated string errors = 8; int64 dbSizeInUse = 9; bool isLearner = 10; }
message HashKVRequest { int64 revision = 1; }
message HashKVResponse { Hdr header = 1; uint32 hash = 2; int64 compact_revision = 3; int64 hash_revision = 4; }
message Member { uint64 ID = 1; string name = 2; repeated string peerURLs = 3; repeated string clientURLs = 4; bool isLearner = 5; }
message MemberAddRequest { repeated string peerURLs = 1; bool isLearner = 2; }
message MemberAddResponse { Hdr header = 1; Member member = 2; repeated Member members = 3; }
message MemberRemoveRequest { uint64 ID = 1; }
message MemberRemoveResponse { Hdr header = 1; repeated Member members = 2; }
message MemberListRequest { bool linearizable = 1; }
message MemberListResponse { Hdr header = 1; repeated Member members = 2; }
`;

/** A decoded message: its fields by their wire names. */
export type Decoded = any;

const root = protobuf.parse(SOURCE, { keepCase: true }).root;

/** @returns the bytes of a message given as a plain object; 64-bit integers may be numbers or decimal strings */
export function encode(type: string, value: Record<string, unknown>): Buffer {
  const message = root.lookupType(`t.${type}`);
  return Buffer.from(message.encode(message.fromObject(value)).finish());
}

/** @returns a plain object with every field set, 64-bit integers as decimal strings, bytes as Buffers */
export function decode(type: string, bytes: Uint8Array): Decoded {
  const message = root.lookupType(`t.${type}`);
  return message.toObject(message.decode(bytes), { longs: String, bytes: Buffer, defaults: true, arrays: true });
}
