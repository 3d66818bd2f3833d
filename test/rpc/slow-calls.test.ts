import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RotatingLines } from '../../src/env/line-file.js';
import { describeRequest } from '../../src/wire/index.js';
import { RawClient } from '../support/raw-client.js';
import { startTestMember } from './support/member.js';

test('calls and applies that take longer than they may are logged, without values', async () => {
  const member = await startTestMember({ warningUnaryMs: -1, warningApplyMs: -1 });
  const client = new RawClient(member.endpoint);
  try {
    await client.call(
      'KV/Put',
      'PutRequest',
      'PutResponse',
      { key: Buffer.from('a'), value: Buffer.from('secret') },
      5000,
    );
    await client.call('KV/Range', 'RangeRequest', 'RangeResponse', { key: Buffer.from('a'), limit: 3 }, 5000);
  } finally {
    client.close();
    await member.stop();
  }
  const calls = member.log.filter(({ msg }) => msg === 'request stats');
  expect(calls.map(({ level, fields }) => [level, fields['response type'], fields['request content']])).toEqual([
    ['warn', '/etcdserverpb.KV/Put', 'key:"a" value_size:6'],
    ['warn', '/etcdserverpb.KV/Range', 'key:"a" limit:3'],
  ]);
  expect(calls[0]?.fields).toMatchObject({ 'request size': 11, remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  expect(calls[0]?.fields['time spent']).toMatch(/^\d+\.\d{3}ms$/);
  const applies = member.log.filter(({ msg }) => msg === 'apply request took too long');
  expect(applies.map(({ fields }) => fields.request)).toContain('put:<key:"a" value_size:6>');
  expect(JSON.stringify(member.log)).not.toContain('secret');
});

test('quick ones are not', async () => {
  const member = await startTestMember();
  const client = new RawClient(member.endpoint);
  await client.call('KV/Range', 'RangeRequest', 'RangeResponse', { key: Buffer.from('a') }, 5000);
  client.close();
  await member.stop();
  expect(member.log.filter(({ msg }) => msg === 'request stats')).toEqual([]);
});

test('a request in one line names no password and no value', () => {
  const line = describeRequest({
    name: 'alice',
    password: 'pw',
    hashedPassword: 'h',
    compare: [1, 2],
    id: 5n,
    empty: '',
  });
  expect(line).toBe('name:"alice" compare_count:2 id:5');
});

test('a log of lines that is set aside when it is full', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'keel-lines-'));
  const path = join(dir, 'audit.log');
  const errors: Error[] = [];
  const rotation = { maxBytes: 1000, maxAgeMs: 0, maxBackups: 2, localTime: false, compress: false };
  const lines = new RotatingLines(path, rotation, (err) => errors.push(err));
  for (let i = 0; i < 50; i++) {
    lines.write(`line ${i} ${'x'.repeat(90)}`);
    lines.write(`and ${i}`);
    await new Promise((done) => setImmediate(done));
  }
  lines.write('last');
  await new Promise<void>((done) => lines.close(done));
  const files = readdirSync(dir);
  expect(files).toHaveLength(3);
  expect(readFileSync(path, 'utf8').endsWith('last\n')).toBe(true);
  for (const file of files) {
    expect(statSync(join(dir, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dir, file), 'utf8')).toMatch(/^line \d+ x+\nand \d+\n/);
  }
  expect(errors).toEqual([]);
  rmSync(dir, { recursive: true });
});
