import * as grpc from '@grpc/grpc-js';
import { encode } from '../../support/etcd-proto.js';

const same = (bytes: Buffer): Buffer => bytes;
const OPS = 100;

/** Puts keys k000000 to k<count - 1>, in transactions. */
export async function fill(endpoint: string, count: number, valueBytes: number): Promise<void> {
  const client = new grpc.Client(endpoint, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  const put = (from: number): Promise<void> => {
    const success = Array.from({ length: Math.min(OPS, count - from) }, (_, i) => ({
      request_put: {
        key: Buffer.from(`k${String(from + i).padStart(7, '0')}`),
        value: Buffer.alloc(valueBytes, 97 + ((from + i) % 26)),
      },
    }));
    const options = { deadline: Date.now() + 30_000 };
    return new Promise((resolve, reject) => {
      const done = (err: grpc.ServiceError | null): void => (err === null ? resolve() : reject(err));
      client.makeUnaryRequest('/etcdserverpb.KV/Txn', same, same, encode('TxnRequest', { success }), options, done);
    });
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next += OPS;
      await put(from);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  client.close();
}
