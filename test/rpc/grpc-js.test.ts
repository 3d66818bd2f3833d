import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestMember } from './support/member.js';
import { readScript, runScript, scriptPath } from './support/script.js';

/** What @grpc/grpc-js does not tell apart, or words itself; h2 answers as etcd does (etcd wire §1). */
const ITS_OWN: Record<string, string> = {
  'body KV/Range 0000000002': '2 EOF',
  'body KV/Range 01000000030a0161': '0 {"header":{"revision":1}}',
  'body KV/Range 02000000030a0161': '0 {"header":{"revision":1}}',
  'call KV/Range {"key":"a"} grpc-timeout=abc': '13 Invalid grpc-timeout value "abc"',
  'call KV/Range {"key":"a"} content-type=text/plain': 'http 415 -1 ',
  'call KV/Range {"key":"a"} :method=GET': '2 EOF',
};

/** The scripts of calls over the reference transport: what both say is right, what one says alone is looked at. */
describe('calls over @grpc/grpc-js', () => {
  const before = process.env.KEEL_TRANSPORT;
  beforeAll(() => {
    process.env.KEEL_TRANSPORT = 'grpc-js';
  });
  afterAll(() => {
    if (before === undefined) delete process.env.KEEL_TRANSPORT;
    else process.env.KEEL_TRANSPORT = before;
  });

  const scripts = readdirSync(scriptPath('.')).filter((name) => name.endsWith('.txt'));
  test.each(scripts)('%s', async (name) => {
    const steps = readScript(name);
    const member = await startTestMember({ name: 'm1', heartbeatMs: 50, electionMs: 500 });
    let outputs: string[];
    try {
      outputs = await runScript(member.endpoint, steps);
    } finally {
      await member.stop();
    }
    const line = (i: number, output: string | undefined) => `${steps[i]!.command}\n${output}`;
    const wanted = steps.map(({ command, expected }, i) => line(i, ITS_OWN[command] ?? expected));
    expect(outputs.map((output, i) => line(i, output))).toEqual(wanted);
  });
});
