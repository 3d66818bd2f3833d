import type { Io } from '../ctl/io.js';

type Fields = Readonly<Record<string, string | number | readonly string[]>>;

/** One line on stderr in the form that etcdutl logs in. */
export function log(io: Io, level: 'info' | 'warn', msg: string, fields: Fields): void {
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const text = Object.entries(fields).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  io.err(`${time}\t${level}\tkeelutl\t${msg}\t{${text.join(', ')}}\n`);
}
