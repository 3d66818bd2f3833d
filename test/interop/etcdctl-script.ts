import type { Etcdctl } from '../support/etcdctl.js';

/** One command with what came of it, masked. */
export interface TranscriptEntry {
  command: string;
  code: number | null;
  stdout: string;
  stderr: string;
}

const FORMATS = ['simple', 'json', 'fields'];

/**
 * A walk through etcdctl. It is run against both stores; since both begin empty and see the same commands in the same
 * order, their revisions are equal too and stay in the text.
 *
 * @param prefix of all keys, so that the walk can be repeated on one cluster
 */
export async function walk(ctl: Etcdctl, prefix: string): Promise<TranscriptEntry[]> {
  const transcript: TranscriptEntry[] = [];
  const k = (name: string) => `${prefix}${name}`;

  const run = async (args: string[], stdin = ''): Promise<string> => {
    const { code, stdout, stderr } = await ctl.run(args, stdin);
    const command = ctl.mask([...args, ...(stdin === '' ? [] : [`<<< ${JSON.stringify(stdin)}`])].join(' '));
    transcript.push({ command, code, stdout: ctl.mask(stdout), stderr: ctl.mask(stderr) });
    return stdout;
  };
  const note = (command: string, stdout: string) =>
    transcript.push({ command: ctl.mask(command), code: null, stdout: ctl.mask(stdout), stderr: '' });

  // put
  await run(['put', k('a'), '1']);
  await run(['put', k('a'), '2', '--prev-kv']);
  await run(['put', k('a'), '--ignore-value']);
  await run(['put', k('stdin')], 'from standard input');
  await run(['put', k('dash'), '--', '-value']);
  for (const format of FORMATS) await run(['put', k('b'), `as ${format}`, '--prev-kv', '-w', format]);
  await run(['put', k('missing'), '--ignore-value']);
  await run(['put', '', 'no key']);
  await run(['put', k('leased'), 'x', '--lease', '1234']);

  // get
  for (const name of ['c', 'd', 'e']) await run(['put', k(name), name.toUpperCase()]);
  await run(['put', k('c'), 'Z']);
  await run(['get', k('a')]);
  await run(['get', k('none')]);
  for (const format of FORMATS) await run(['get', k('a'), k('d'), '-w', format]);
  await run(['get', k(''), '--prefix']);
  await run(['get', k(''), '--prefix', '--keys-only']);
  await run(['get', k(''), '--prefix', '--count-only']);
  await run(['get', k(''), '--prefix', '--count-only', '-w', 'fields']);
  await run(['get', k(''), '--prefix', '--print-value-only']);
  await run(['get', k(''), '--prefix', '--limit', '2', '-w', 'json']);
  for (const target of ['CREATE', 'KEY', 'MODIFY', 'VALUE', 'VERSION']) {
    await run(['get', k(''), '--prefix', '--keys-only', '--sort-by', target, '--order', 'DESCEND', '--limit', '3']);
  }
  await run(['get', k(''), '--prefix', '--order', 'ASCEND', '--keys-only']);
  await run(['get', k('d'), '--from-key', '--limit', '2']);
  await run(['get', k('a'), '--consistency', 's']);
  await run(['get', k('a'), '--hex']);
  await run(['get', k('c'), '--rev', '2']);
  await run(['get', k('a'), '--rev', '3', '-w', 'json']);
  await run(['get', k('a'), '--rev', '99999']);

  // txn
  await run(
    ['txn'],
    `mod("${k('a')}") > "0"\nvalue("${k('c')}") = "Z"\n\nput ${k('t')} 1\nget ${k('a')}\n\nput ${k('t')} 2\n\n`,
  );
  await run(['txn'], `version("${k('none')}") = "5"\n\nput ${k('t')} 1\n\nget ${k('t')}\ndel ${k('d')}\n\n`);
  await run(['txn', '-w', 'json'], `create("${k('none')}") = "0"\n\nput ${k('t')} 3\nget ${k('t')}\n\n\n`);
  await run(['txn', '-w', 'fields'], `version("${k('t')}") < "9"\n\ndel ${k('t')} --prev-kv\n\n\n`);
  await run(['txn'], `\nput ${k('t')} 1\nput ${k('t')} 2\n\n\n`);

  // watch: from the past with what was there before, and live
  const from = /"revision":(\d+)/.exec(await run(['put', k('w'), '1', '-w', 'json']))?.[1] ?? '1';
  await run(['put', k('w'), '2']);
  await run(['del', k('w')]);
  for (const format of ['simple', 'json', 'fields']) {
    const args = ['watch', k('w'), '--rev', from, '--prev-kv', '-w', format];
    const watch = ctl.background(args);
    note(args.join(' '), await watch.until((text) => /DELETE|"type":1/.test(text)));
  }
  const live = ctl.background(['watch', k('live/'), '--prefix', '--prev-kv']);
  await settle();
  await run(['put', k('live/x'), '1']);
  await run(['put', k('live/x'), '2']);
  await run(['put', k('elsewhere'), '1']);
  await run(['del', k('live/x')]);
  note('watch live', await live.until((text) => text.includes('DELETE')));
  const interactive = ctl.background(['watch', '-i'], `watch ${k('w')} --rev ${from}\n`);
  note('watch -i', await interactive.until((text) => text.includes('DELETE')));

  // del
  await run(['del', k('none')]);
  await run(['del', k('b'), '--prev-kv']);
  for (const format of FORMATS) {
    await run(['put', k('gone'), format]);
    await run(['del', k('gone'), '--prev-kv', '-w', format]);
  }
  await run(['del', k('c'), k('e')]);
  await run(['del', k('live'), '--prefix']);

  // lease
  const granted = await run(['lease', 'grant', '60']);
  const lease = /lease ([0-9a-f]+)/.exec(granted)?.[1] ?? '0';
  await run(['lease', 'grant', '60', '-w', 'json']);
  await run(['put', k('leased'), 'x', '--lease', lease]);
  await run(['put', k('leased'), 'z', '--ignore-lease']);
  await run(['put', k('none'), 'z', '--ignore-lease']);
  await run(['get', k('leased'), '-w', 'json']);
  await run(['lease', 'timetolive', lease]);
  await run(['lease', 'timetolive', lease, '--keys', '-w', 'fields']);
  // A second key only now: the order of a lease's keys is nobody's business.
  await run(['put', k('leased2'), 'y', '--lease', lease]);
  await run(['lease', 'timetolive', lease, '-w', 'json']);
  await run(['lease', 'keep-alive', lease, '--once']);
  await run(['lease', 'keep-alive', lease, '--once', '-w', 'json']);
  const short = /lease ([0-9a-f]+)/.exec(await run(['lease', 'grant', '6']))?.[1] ?? '0';
  const alive = ctl.background(['lease', 'keep-alive', short]);
  await alive.seen((text) => text.includes('keepalived'));
  const list = await run(['lease', 'list']);
  for (const id of list.split('\n').slice(1)) if (id !== '') await run(['lease', 'revoke', id]);
  note('lease keep-alive', lastLine(await alive.ended())); // not at once: it asks every third of the TTL
  await run(['get', k('leased'), '--count-only']);
  await run(['lease', 'timetolive', lease]);
  await run(['lease', 'timetolive', lease, '-w', 'json']);
  await run(['lease', 'keep-alive', lease, '--once']);
  await run(['lease', 'revoke', lease]);
  await run(['lease', 'list']);
  await run(['lease', 'grant', '9000000001']);

  // lock and elect, which are made of the above
  await run(['lock', k('mutex'), '--', 'echo', 'in the lock']);

  // compaction
  await run(['compaction', from]);
  await run(['compaction', from]);
  await run(['compaction', '99999']);
  await run(['get', k('a'), '--rev', '2']);
  await run(['compaction', String(Number(from) + 2), '--physical']);
  const compacted = ctl.background(['watch', k('w'), '--rev', '1']);
  note('watch of a compacted revision', await compacted.ended());

  // cluster and maintenance
  for (const format of ['simple', 'table', 'json', 'fields']) await run(['member', 'list', '-w', format]);
  for (const format of ['simple', 'table', 'json', 'fields']) await run(['endpoint', 'status', '-w', format]);
  await run(['endpoint', 'health']);
  await run(['endpoint', 'health', '-w', 'json']);
  await run(['alarm', 'list']);
  await run(['defrag']);
  return transcript;
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

/** A watch has no visible sign of having been created. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 400));
}
