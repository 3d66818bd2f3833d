import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { InitialMember, Restored, RestoreOptions } from '../../index.js';
import { mustBeEmpty, restoreMember } from '../../index.js';
import { BboltReader } from '../../storage/bbolt/index.js';
import { hex } from '../../util/hex.js';
import type { Context } from '../ctl/context.js';
import { badArgs, Exit, Fail } from '../ctl/fail.js';
import { checkUrl } from '../keel/flag-value.js';
import { done, withEnv } from './env.js';
import { DatabaseFile } from './file.js';
import { log } from './log.js';

/** `snapshot restore`: nothing is written before the whole file has been read and found good. */
export async function runRestore(context: Context, args: string[]): Promise<void> {
  const { flags, io } = context;
  if (args.length !== 1) throw badArgs('snapshot restore requires exactly one argument');
  const path = args[0]!;
  const bump = flags.int('bump-revision');
  if (bump > 0 !== flags.bool('mark-compacted')) throw badArgs('--mark-compacted required if --revision-bump > 0');
  const options = restoreOptions(context, bump);
  const { dataDir } = options;
  await withEnv(async (env) => {
    mustBeEmpty(env, dataDir);
    mustNoWalDir(flags.string('wal-dir'), dataDir);
    const where = {
      path,
      'wal-dir': join(dataDir, 'member', 'wal'),
      'data-dir': dataDir,
      'snap-dir': join(dataDir, 'member', 'keel'),
      'initial-memory-map-size': flags.int('initial-memory-map-size'),
    };
    log(io, 'info', 'restoring snapshot', where);
    const file = new DatabaseFile(path);
    try {
      if (file.bytes === 0) throw new Fail(Exit.ERROR, `seek ${path}: invalid argument`);
      if (!flags.bool('skip-hash-check')) mustMatch(file);
      const restored = await done<Restored>((cb) => restoreMember(env, options, new BboltReader(file), cb));
      for (const bucket of restored.skipped) log(io, 'warn', 'left out a bucket that etcd has not', { bucket });
      if (bump > 0) log(io, 'info', 'marked revision compacted', { revision: restored.revision });
      for (const member of restored.members) {
        log(io, 'info', 'added member', {
          'cluster-id': hex(restored.clusterId),
          'local-member-id': '0',
          'added-peer-id': hex(member.id),
          'added-peer-peer-urls': member.peerUrls,
        });
      }
      log(io, 'info', 'restored snapshot', where);
    } finally {
      file.close();
    }
  });
}

function restoreOptions({ flags }: Context, bumpRevision: number): RestoreOptions {
  const name = flags.string('name');
  const advertisePeerUrls = urls(flags.string('initial-advertise-peer-urls').split(','));
  const text = flags.string('initial-cluster');
  const initialCluster = cluster(text);
  mustAgree(name, initialCluster, advertisePeerUrls, text);
  return {
    dataDir: flags.string('data-dir') || `${name}.etcd`,
    name,
    initialCluster,
    initialClusterToken: flags.string('initial-cluster-token'),
    advertisePeerUrls,
    bumpRevision,
  };
}

function cluster(text: string): InitialMember[] {
  const members = new Map<string, string[]>();
  for (const part of text.split(',').filter((p) => p !== '')) {
    const eq = part.indexOf('=');
    const name = eq < 0 ? part : part.slice(0, eq);
    const [url] = urls([eq < 0 ? '' : part.slice(eq + 1)]);
    members.set(name, [...(members.get(name) ?? []), url!]);
  }
  return [...members].map(([name, peerUrls]) => ({ name, peerUrls }));
}

function urls(list: readonly string[]): string[] {
  return list.map((url) => {
    const why = checkUrl(url.trim());
    if (why !== null) throw new Fail(Exit.ERROR, why);
    return url.trim();
  });
}

/** What etcdutl asks of the flags, in its words and order. */
function mustAgree(name: string, members: readonly InitialMember[], advertised: readonly string[], text: string): void {
  const own = members.find((member) => member.name === name);
  if (own === undefined) {
    throw new Fail(Exit.ERROR, `couldn't find local name "${name}" in the initial cluster configuration`);
  }
  const all = members.flatMap((member) => member.peerUrls);
  if (new Set(all).size < all.length) throw new Fail(Exit.ERROR, `initial cluster ${text} has duplicate url`);
  const ours = [...own.peerUrls].sort();
  const theirs = [...advertised].sort();
  const at = ours.findIndex((url, i) => url !== theirs[i]);
  if (at < 0 && ours.length === theirs.length) return;
  const flags = `--initial-advertise-peer-urls=${advertised.join(',')}`;
  const missing = ours.find((url) => !theirs.includes(url));
  const resolved = `(resolved urls: "${theirs[Math.max(at, 0)] ?? ''}" != "${ours[Math.max(at, 0)] ?? ''}")`;
  const complaint =
    missing === undefined
      ? `--initial-cluster must include ${name}=${theirs.find((url) => !ours.includes(url))} given ${flags}`
      : `--initial-cluster has ${name}=${missing} but missing from ${flags} ${resolved}`;
  throw new Fail(Exit.ERROR, complaint);
}

function mustNoWalDir(walDir: string, dataDir: string): void {
  if (walDir === '' || walDir === join(dataDir, 'member', 'wal')) return;
  if (existsSync(walDir)) throw new Fail(Exit.ERROR, `wal-dir ${JSON.stringify(walDir)} exists`);
  throw new Fail(Exit.BAD_FEATURE, '--wal-dir is not built: keel keeps its log in <data-dir>/member/wal');
}

/** @throws Fail in etcdutl's words */
function mustMatch(file: DatabaseFile): void {
  if (!file.hasTrailer) throw new Fail(Exit.ERROR, 'snapshot missing hash but --skip-hash-check=false');
  const { stored, actual } = file.checksums();
  if (stored.equals(actual)) return;
  throw new Fail(Exit.ERROR, `expected sha256 [${[...stored].join(' ')}], got [${[...actual].join(' ')}]`);
}
