import { STORAGE_VERSION } from '../../util/versions.js';
import type { Context } from '../ctl/context.js';
import { badArgs, Exit, Fail } from '../ctl/fail.js';
import { FlagError } from '../ctl/flags.js';
import { withEnv } from './env.js';
import { withStore } from './folder.js';
import { log } from './log.js';

const CURRENT = STORAGE_VERSION.split('.').slice(0, 2).join('.');

/**
 * `migrate`: a keel member's rows have one schema, that of its storage version, whatever version its cluster is at; so
 * there is only the way to where it is. The way to an older etcd is a snapshot.
 */
export async function runMigrate({ flags, io }: Context): Promise<void> {
  const missing = ['data-dir', 'target-version'].filter((name) => !flags.changed(name));
  if (missing.length > 0) {
    throw new FlagError(`required flag(s) ${missing.map((name) => `"${name}"`).join(', ')} not set`);
  }
  const target = flags.string('target-version');
  const parts = /^(\d+)\.(\d+)$/.exec(target);
  if (parts === null) throw badArgs(`wrong target version format, expected "X.Y", got ${JSON.stringify(target)}`);
  if (Number(parts[1]) !== 3 || Number(parts[2]) < 5) {
    throw badArgs(`target version ${JSON.stringify(target)} not supported. Minimal "3.5"`);
  }
  await withEnv((env) => withStore(env, flags.string('data-dir'), async () => {}));
  if (target !== CURRENT) {
    throw new Fail(
      Exit.BAD_FEATURE,
      `a keel member's storage version is ${CURRENT} and does not change; to move to an etcd ${target}, use "keelutl snapshot save" and restore the file there`,
    );
  }
  log(io, 'info', 'storage version up-to-date', { 'storage-version': CURRENT });
}
