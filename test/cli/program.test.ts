/** keelctl as users start it: the built program in a process of its own. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeelClient } from '../../src/client/index.js';
import { Cluster } from '../support/cluster.js';
import { keelctlProgram, runKeelctl, runKeelctlProgram } from '../support/ctl.js';
import { describeStores } from '../support/stores.js';

describe.skipIf(!existsSync(keelctlProgram))('keelctl, the program', () => {
  describeStores('on a store', (kind) => {
    let cluster: Cluster;
    let client: KeelClient;
    let at: string[];
    const folder = mkdtempSync(join(tmpdir(), 'keelctl-'));

    beforeAll(async () => {
      cluster = await Cluster.start({ kind, size: 1 });
      client = new KeelClient({ endpoints: cluster.endpoints });
      at = ['--endpoints', cluster.endpoints[0]!];
    });

    afterAll(async () => {
      await client?.close();
      await cluster?.dispose();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Starts it, waits until the output holds what is wanted, and interrupts it. */
    const until = (
      args: string[],
      wanted: RegExp,
      stdin = '',
    ): Promise<{ out: string; err: string; signal: string | null }> =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [keelctlProgram, ...at, ...args]);
        let out = '';
        let err = '';
        const timer = setTimeout(() => {
          child.kill('SIGKILL');
          reject(new Error(`no ${wanted} in ${JSON.stringify(out)} ${err}`));
        }, 10_000);
        child.stdout.on('data', (chunk) => {
          out += chunk;
          if (wanted.test(out)) child.kill('SIGINT');
        });
        child.stderr.on('data', (chunk) => {
          err += chunk;
        });
        child.stdin.write(stdin);
        child.once('close', (_code, signal) => {
          clearTimeout(timer);
          resolve({ out, err, signal });
        });
      });

    it('puts from stdin and gets, bytes as they are', async () => {
      const value = Buffer.from([0x00, 0xff, 0x0a, 0x80, 0x41]);
      expect(await runKeelctlProgram({ args: [...at, 'put', 'raw'], stdin: value })).toEqual({
        code: 0,
        out: 'OK\n',
        err: '',
      });
      const got = await runKeelctlProgram({ args: [...at, 'get', 'raw', '--print-value-only'] });
      expect(Buffer.from(got.out, 'latin1')).toEqual(Buffer.concat([value, Buffer.from('\n')]));
    });

    it('gives the exit codes', async () => {
      const codes = await Promise.all(
        [['get'], ['get', 'a', '-w', 'x'], ['nope'], ['version']].map(
          async (args) => (await runKeelctlProgram({ args: [...at, ...args] })).code,
        ),
      );
      expect(codes).toEqual([128, 4, 1, 0]);
    });

    it('writes all of a big answer into a pipe', async () => {
      for (let i = 0; i < 4; i++) await client.put(`big/${i}`, Buffer.alloc(700_000, 0x61 + i));
      const got = await runKeelctlProgram({ args: [...at, 'get', 'big/', '--prefix', '--print-value-only'] });
      expect(got.out.length).toBe(4 * 700_001);
    });

    it('watches until it is interrupted', async () => {
      const { header } = await client.put('w', '1');
      await client.put('w', '2');
      await client.delete('w');
      const run = await until(['watch', 'w', '--rev', String(header.revision), '--prev-kv'], /DELETE\nw\n2\nw\n\n/);
      expect(run).toEqual({ out: 'PUT\nw\n1\nPUT\nw\n1\nw\n2\nDELETE\nw\n2\nw\n\n', err: '', signal: 'SIGINT' });
      const json = await until(['watch', 'w', '--rev', String(header.revision), '-w', 'json'], /\n/);
      const printed = JSON.parse(json.out);
      expect(Object.keys(printed)).toEqual(['Header', 'Events', 'CompactRevision', 'Canceled', 'Created']);
      expect(printed.Events[2].type).toBe(1);
    });

    it('runs a program for each event', async () => {
      const { header } = await client.put('x', 'a "b"');
      const script = 'env | grep ETCD_WATCH | sort; echo "arg $1"';
      const run = await until(
        ['watch', 'x', '--rev', String(header.revision), '--', 'sh', '-c', script, 'sh', 'one'],
        /arg/,
      );
      expect(run.out).toBe(
        `PUT\nx\na "b"\nETCD_WATCH_EVENT_TYPE="PUT"\nETCD_WATCH_KEY="x"\nETCD_WATCH_REVISION=${header.revision}\nETCD_WATCH_VALUE="a \\"b\\""\narg one\n`,
      );
    });

    it('watches what interactive lines say, and asks for progress', async () => {
      const { header } = await client.put('i1', 'v');
      const child = spawn(process.execPath, [keelctlProgram, ...at, 'watch', '-i']);
      let out = '';
      child.stdout.on('data', (chunk) => {
        out += chunk;
      });
      const code = new Promise((resolve) => child.once('close', resolve));
      child.stdin.write(`watch i1 --rev ${header.revision}\nwatch 'i2' i3\n`);
      await expect.poll(() => out, { timeout: 5000 }).toBe('PUT\ni1\nv\n');
      // A progress request that comes too early is dropped by the server; it is asked for until it is answered.
      await expect
        .poll(
          () => {
            child.stdin.write('progress\n');
            return /progress notify: \d+\n/.test(out);
          },
          { timeout: 5000, interval: 200 },
        )
        .toBe(true);
      await client.put('i2', 'w');
      await expect.poll(() => out, { timeout: 5000 }).toContain('PUT\ni2\nw\n');
      child.stdin.end();
      expect(await code).toBe(3);
    }, 20_000);

    it('keeps a lease alive', async () => {
      const { id } = await client.lease.grant(3);
      const run = await until(['lease', 'keep-alive', id.toString(16)], /(lease .* keepalived .*\n){2}/);
      const line = `lease ${id.toString(16).padStart(16, '0')} keepalived with TTL(3)\n`;
      expect(run.out.startsWith(line + line)).toBe(true);
    });

    it('saves a snapshot under its name only when it is whole', async () => {
      const path = join(folder, 'snapshot.db');
      const run = await runKeelctlProgram({ args: [...at, 'snapshot', 'save', path] });
      if (kind === 'keel' && run.code !== 0) {
        // The server's part comes later; what matters here is that nothing half is left.
        expect(run.code).toBe(5);
        expect(existsSync(path) || existsSync(`${path}.part`)).toBe(false);
        return;
      }
      expect(run.out).toMatch(new RegExp(`^Snapshot saved at ${path}\n`));
      expect(readFileSync(path).length % 512).toBe(32);
      expect(existsSync(`${path}.part`)).toBe(false);
    });

    it('says which endpoints cannot be reached', async () => {
      const both = ['--endpoints', `${cluster.endpoints[0]},127.0.0.1:1`, '--command-timeout', '500ms'];
      const status = await runKeelctl({ args: [...both, 'endpoint', 'status'] });
      expect(status.code).toBe(1);
      expect(status.out.split('\n').length).toBe(2);
      expect(status.err).toBe('Failed to get the status of endpoint 127.0.0.1:1 (context deadline exceeded)\n');
      const health = await runKeelctl({ args: [...both, 'endpoint', 'health'] });
      expect(health.code).toBe(1);
      expect(health.err).toBe(
        '127.0.0.1:1 is unhealthy: failed to commit proposal: context deadline exceeded\nError: unhealthy cluster\n',
      );
      const get = await runKeelctl({ args: ['--endpoints', '127.0.0.1:1', '--command-timeout', '300ms', 'get', 'a'] });
      expect([get.code, get.err]).toEqual([1, 'Error: context deadline exceeded\n']);
    });
  });
});
