import type { RealEnv } from '../../env/real-env.js';
import type { RestingRows } from '../../mvcc/index.js';
import { hashRows } from '../../mvcc/index.js';
import { BboltReader, FileRows } from '../../storage/bbolt/index.js';
import type { Context } from '../ctl/context.js';
import { Exit, Fail } from '../ctl/fail.js';
import { FlagError } from '../ctl/flags.js';
import { done, withEnv } from './env.js';
import { DatabaseFile } from './file.js';
import { isFolder, withStore } from './folder.js';
import { mustKnowFormat, print } from './print.js';

interface Hash {
  readonly hash: number;
  readonly hashRevision: number;
  readonly compactRevision: number;
}

/** `hashkv`: of a snapshot, a stopped etcd member's database file, or a stopped Keel member's data folder. */
export async function runHashKv(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1) throw new FlagError(`accepts 1 arg(s), received ${args.length}`);
  const format = context.flags.string('write-out');
  mustKnowFormat(format);
  const path = args[0]!;
  const revision = context.flags.int('rev');
  const result = await withEnv((env) =>
    isFolder(path) ? withStore(env, path, (backend) => hashOf(backend, revision)) : hashOfFile(env, path, revision),
  );
  const { hash, hashRevision, compactRevision } = result;
  print(context.io, format, {
    header: ['hash', 'hash revision', 'compact revision'],
    row: [String(hash), String(hashRevision), String(compactRevision)],
    fields: [
      ['Hash', hash],
      ['Hash revision', hashRevision],
      ['Compact revision', compactRevision],
    ],
    json: { hash, hashRevision, compactRevision },
  });
}

async function hashOfFile(env: RealEnv, path: string, revision: number): Promise<Hash> {
  const file = new DatabaseFile(path);
  try {
    const reader = new BboltReader(file);
    reader.check();
    return await hashOf(new FileRows(reader, env.timers), revision);
  } finally {
    file.close();
  }
}

async function hashOf(rows: RestingRows, revision: number): Promise<Hash> {
  const result = await done<Hash | string>((cb) => hashRows(rows, revision, cb));
  if (result === 'compacted') throw new Fail(Exit.ERROR, 'mvcc: required revision has been compacted');
  if (result === 'future') throw new Fail(Exit.ERROR, 'mvcc: required revision is a future revision');
  return result as Hash;
}
