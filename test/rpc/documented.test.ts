import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RPCS } from '../../src/wire/index.js';
import { REPO_ROOT } from '../support/binaries.js';
import { COMMON, DOCUMENTED, NOT_SERVED } from './documented.js';
import { readScript, scriptPath } from './support/script.js';

/** `KV/Range` to what the scripts show of it: 'OK', and the texts of refusals. The scripts themselves are run elsewhere. */
function shownByScripts(): Map<string, Set<string>> {
  const shown = new Map<string, Set<string>>();
  const add = (rpc: string, text: string): void => {
    shown.set(rpc, (shown.get(rpc) ?? new Set()).add(text.replace(/^etcdserver: /, '')));
  };
  for (const name of readdirSync(scriptPath('.')).filter((file) => file.endsWith('.txt'))) {
    const streams = new Map<string, string>();
    for (const { command, expected } of readScript(name)) {
      const [verb, first, second] = command.split(' ') as [string, string, string];
      if (verb === 'open') streams.set(first, second);
      const rpc = verb === 'call' || verb === 'body' ? first : streams.get(first);
      if (rpc === undefined || verb === 'send') continue;
      for (const line of expected.split('\n')) {
        const status = /^(\d+) (.*)$/.exec(line);
        const reason = /"cancel_reason":"((?:[^"\\]|\\.)*)"/.exec(line);
        if (status !== null && status[1] !== '0') add(rpc, status[2]!);
        if (reason !== null) add(rpc, reason[1]!);
        if (status?.[1] === '0' || (verb === 'recv' && line.startsWith('{') && reason === null)) add(rpc, 'OK');
      }
    }
  }
  return shown;
}

/** The same of the record that auth is compared with: `caller Rpc arguments: answer` (test/auth/real-etcd.test.ts). */
function addAuthRecord(shown: Map<string, Set<string>>): void {
  const folder = join(REPO_ROOT, 'test', 'testdata', 'auth');
  const rpcs = new Map(
    RPCS.filter((rpc) => rpc.service.startsWith('etcdserverpb')).map((rpc) => [rpc.name, nameOf(rpc)]),
  );
  for (const file of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const match = /^\S+ (\w+) .*?: ?(OK|\d+ (.*))/.exec(line) ?? /^(login) \w+: (OK|\d+ (.*))/.exec(line);
      const rpc = match?.[1] === 'login' ? 'Auth/Authenticate' : rpcs.get(match?.[1] ?? '');
      if (match === null || rpc === undefined) continue;
      const texts = shown.get(rpc) ?? new Set<string>();
      shown.set(rpc, texts.add((match[3] ?? 'OK').replace(/^etcdserver: /, '')));
    }
  }
}

const shown = shownByScripts();
addAuthRecord(shown);

function nameOf(rpc: { service: string; name: string }): string {
  return `${rpc.service.slice(rpc.service.lastIndexOf('.') + 1)}/${rpc.name}`;
}

describe('every rpc, and everything that it may answer, has a test', () => {
  test('every rpc of the contract has a row, and no other', () => {
    const rows = [...Object.keys(DOCUMENTED), ...Object.keys(NOT_SERVED)];
    expect(rows.sort()).toEqual(RPCS.map(nameOf).sort());
  });

  test.each(Object.entries(DOCUMENTED))('%s', (rpc, { errors, elsewhere = {} }) => {
    const wanted = ['OK', ...errors];
    const of = shown.get(rpc) ?? new Set<string>();
    expect(wanted.filter((text) => !of.has(text) && elsewhere[text] === undefined)).toEqual([]);
    // A place is named for what no script shows, and shows it: the call by its name, and the text.
    expect(Object.keys(elsewhere).filter((text) => of.has(text) || !wanted.includes(text))).toEqual([]);
    const name = rpc.slice(rpc.indexOf('/') + 1);
    const call = new RegExp(`\\b${name}\\b|\\b${name[0]?.toLowerCase()}${name.slice(1)}\\b`);
    for (const [text, file] of Object.entries(elsewhere)) {
      const path = join(REPO_ROOT, file);
      const test = existsSync(path) ? readFileSync(path, 'utf8') : '';
      expect(call.test(test) && (text === 'OK' || test.includes(text)), `${file}, for ${rpc}: ${text}`).toBe(true);
    }
  });

  test('what any rpc may answer is shown where it is said to be', () => {
    const missing = Object.entries(COMMON).filter(([text, file]) => {
      const path = join(REPO_ROOT, file);
      return !existsSync(path) || !readFileSync(path, 'utf8').includes(text);
    });
    expect(missing).toEqual([]);
  });
});
