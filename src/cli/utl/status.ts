import { existsSync } from 'node:fs';
import { BboltReader, fileStatus } from '../../storage/bbolt/index.js';
import type { Context } from '../ctl/context.js';
import { badArgs, Exit, Fail } from '../ctl/fail.js';
import { formatBytes } from '../ctl/go.js';
import { DatabaseFile } from './file.js';
import { mustKnowFormat, print } from './print.js';

/** `snapshot status`: of a snapshot, or of a stopped etcd member's database file. */
export async function runStatus(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('snapshot status requires exactly one argument');
  const format = context.flags.string('write-out');
  mustKnowFormat(format);
  const path = args[0]!;
  if (!existsSync(path)) throw new Fail(Exit.ERROR, `stat ${path}: no such file or directory`);
  const file = new DatabaseFile(path);
  try {
    const status = fileStatus(new BboltReader(file));
    const { hash, revision, totalKey, totalSize, version } = status;
    print(context.io, format, {
      header: ['hash', 'revision', 'total keys', 'total size', 'version'],
      row: [hash.toString(16), String(revision), String(totalKey), formatBytes(totalSize), version],
      fields: [
        ['Hash', hash],
        ['Revision', revision],
        ['Keys', totalKey],
        ['Size', totalSize],
        ['Version', version],
      ],
      json: { hash, revision, totalKey, totalSize, version },
    });
  } finally {
    file.close();
  }
}
