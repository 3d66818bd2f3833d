import type { Io } from '../../src/cli/ctl/io.js';
import { runUtility } from '../../src/cli/utl/main.js';
import { UTILITY } from '../../src/cli/utl/tree.js';
import { etcdutlBinary } from './binaries.js';
import type { CtlResult } from './ctl.js';
import { runProgram } from './ctl.js';

/** keelutl inside this process. */
export async function runKeelutl(args: readonly string[]): Promise<CtlResult> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const io: Io = {
    out: (data) => void out.push(Buffer.from(data)),
    err: (text) => void err.push(Buffer.from(text)),
    readAll: async () => Buffer.alloc(0),
    async *lines() {},
    env: {},
  };
  const code = await runUtility(UTILITY, args, io);
  return { code, out: Buffer.concat(out).toString('latin1'), err: Buffer.concat(err).toString('latin1') };
}

/** The real etcdutl. */
export function runEtcdutl(args: readonly string[]): Promise<CtlResult> {
  return runProgram(etcdutlBinary()!, { args }, 30_000);
}
