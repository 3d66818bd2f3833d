import type { KeelClient, KeyValue } from '../../client/index.js';
import { Folder } from './folder.js';
import { isCompacted } from './store-error.js';

/** Rows of a range at one revision. */
export interface Rows {
  readonly kvs: KeyValue[];
  /** All of them are as of this one. */
  readonly revision: number;
  readonly raftTerm: number;
  readonly clusterId: bigint;
}

/** A read of many objects goes in pages, so that no answer is larger than a member likes to send. */
const PAGE = 2000;
/** How often a read of everything starts over when history is dropped under it. */
const RESTARTS_MAX = 3;

/**
 * All rows below a prefix, of one revision.
 * @param revision 0: the newest
 * @throws KeelError ERR_COMPACTED, ERR_FUTURE_REV for a revision that was asked for
 */
export async function readAll(client: KeelClient, prefix: string, revision: number): Promise<Rows> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await readPages(client, prefix, revision);
    } catch (err) {
      if (revision !== 0 || !isCompacted(err) || restarts >= RESTARTS_MAX) throw err;
    }
  }
}

async function readPages(client: KeelClient, prefix: string, revision: number): Promise<Rows> {
  const rangeEnd = Folder.end(prefix);
  const first = await client.get(prefix, { rangeEnd, limit: PAGE, revision });
  // The header tells the store's revision, which has gone on from the one that was asked for.
  const at = revision === 0 ? first.header.revision : revision;
  const { raftTerm, clusterId } = first.header;
  const kvs = first.kvs;
  for (let more = first.more; more; ) {
    const next = await client.get(after(kvs[kvs.length - 1]!.key), { rangeEnd, limit: PAGE, revision: at });
    for (const kv of next.kvs) kvs.push(kv);
    more = next.more;
  }
  return { kvs, revision: at, raftTerm, clusterId };
}

/** The key right behind this one. */
export function after(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}
