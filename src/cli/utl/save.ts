import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import type { SnapshotFile } from '../../index.js';
import { openClientSnapshot } from '../../index.js';
import { Sha256 } from '../../util/sha.js';
import type { Context } from '../ctl/context.js';
import { badArgs, Exit, Fail } from '../ctl/fail.js';
import { formatBytes } from '../ctl/go.js';
import { done, withEnv } from './env.js';
import { reason } from './file.js';
import { withStore } from './folder.js';
import { log } from './log.js';

/** `snapshot save`: a stopped member's store as a snapshot file, the way out without a running server. */
export async function runSave(context: Context, args: string[]): Promise<void> {
  const { flags, io } = context;
  if (args.length !== 1) throw badArgs('snapshot save requires exactly one argument');
  const dataDir = flags.string('data-dir');
  if (dataDir === '') throw badArgs('--data-dir is required; of a running member use `keelctl snapshot save`');
  const path = args[0]!;
  await withEnv((env) =>
    withStore(env, dataDir, async (backend) => {
      const file = await done<SnapshotFile>((cb) =>
        openClientSnapshot(backend, env.timers, { ok: (f) => cb(null, f), fail: (err) => cb(err, null) }),
      );
      try {
        await write(path, file);
      } finally {
        file.close();
      }
      log(io, 'info', 'saved', { path, size: formatBytes(file.size), 'applied-index': file.index });
      io.out(`Snapshot saved at ${path}\nServer version ${file.version}\n`);
    }),
  );
}

/** To <file>.part, which takes the file's name when it is complete and on the disk. */
async function write(path: string, file: SnapshotFile): Promise<void> {
  const part = `${path}.part`;
  let fd: number;
  try {
    fd = openSync(part, 'w', 0o600);
  } catch (err) {
    throw new Fail(Exit.INTERRUPTED, `could not open ${part} (open ${part}: ${reason(err)})`);
  }
  try {
    const hash = new Sha256();
    for (;;) {
      const pages = await done<Buffer[] | null>((cb) => file.next(cb));
      if (pages === null) break;
      for (const page of pages) {
        hash.update(page);
        writeAll(fd, page);
      }
    }
    writeAll(fd, hash.digest());
    fsyncSync(fd);
    closeSync(fd);
  } catch (err) {
    unlinkSync(part);
    throw err;
  }
  renameSync(part, path);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
}
