import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Gofail } from '../../src/env/gofail.js';
import { failpoint, failpoints } from '../../src/util/failpoint.js';

// This process has loaded no room, so there are none but these.
const first = failpoint('firstPlace');
const second = failpoint('secondPlace');

let gofail: Gofail;
let port: number;

beforeEach(async () => {
  gofail = (await Gofail.start({ GOFAIL_HTTP: '127.0.0.1:0', GOFAIL_FAILPOINTS: 'secondPlace=off;unknown=panic' }))!;
  port = Number(gofail.address!.split(':')[1]);
});

afterEach(async () => {
  await gofail.stop();
});

/** One exchange as its bytes, without the date. */
function raw(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    socket.on('end', () => resolve(answer.replace(/^Date: .*\r\n/m, '')));
    socket.on('error', reject);
    socket.write(request);
  });
}

const ask = (line: string, body = '') =>
  raw(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

const NO_CONTENT = 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n';
const failed = (status: string, text: string, head = '') =>
  `HTTP/1.1 ${status}\r\n${head}Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n` +
  `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
const ok = (text: string) =>
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;

describe('GOFAIL_HTTP (etcd operations §7)', () => {
  test('GET / lists every failpoint that can fire, with its terms', async () => {
    expect(await ask('GET /')).toBe(ok('firstPlace=\nsecondPlace=off\n'));
    expect([...failpoints().keys()]).toEqual(['firstPlace', 'secondPlace']);
  });

  test('PUT turns on, GET tells, DELETE turns off', async () => {
    expect(first.on).toBe(false);
    expect(await ask('PUT /firstPlace', 'sleep("1ms")')).toBe(NO_CONTENT);
    expect(first.on).toBe(true);
    expect(await ask('GET /firstPlace')).toBe(ok('sleep("1ms")\n'));
    expect(await ask('GET /firstPlace/count')).toBe(ok('0'));
    first.hit();
    first.hit();
    expect(await ask('GET /firstPlace/count')).toBe(ok('2'));
    expect(await ask('DELETE /firstPlace')).toBe(NO_CONTENT);
    expect(first.on).toBe(false);
  });

  test('several at once', async () => {
    expect(await ask('PUT /failpoints', 'firstPlace=off;secondPlace=return("x")')).toBe(NO_CONTENT);
    expect(await ask('GET /')).toBe(ok('firstPlace=off\nsecondPlace=return("x")\n'));
    expect(await ask('PUT /failpoints', 'firstPlace')).toBe(
      failed('400 Bad Request', 'fail to parse failpoint: bad failpoint "firstPlace"\n'),
    );
  });

  test.each([
    ['GET /nosuch', '404 Not Found', 'failed to GET: failpoint: failpoint does not exist\n\n'],
    ['GET /firstPlace', '404 Not Found', 'failed to GET: failpoint: failpoint is disabled\n\n'],
    ['GET /nosuch/count', '404 Not Found', 'failed to GET: failpoint: failpoint does not exist\n'],
    ['GET /firstPlace/count', '500 Internal Server Error', 'failed to GET: failpoint: failpoint is disabled\n'],
    ['PUT /nosuch', '400 Bad Request', 'fail to set failpoint: failpoint: failpoint does not exist\n'],
    ['PUT /firstPlace', '400 Bad Request', 'fail to set failpoint: failpoint: could not parse terms\n'],
    ['DELETE /nosuch', '400 Bad Request', 'failed to delete failpoint failpoint: failpoint does not exist\n'],
    ['DELETE /firstPlace', '400 Bad Request', 'failed to delete failpoint failpoint: failpoint is disabled\n'],
  ])('%s: %s', async (line, status, text) => {
    expect(await ask(line, line.startsWith('PUT') ? 'nonsense' : '')).toBe(failed(status, text));
  });

  test('another method is not allowed', async () => {
    expect(await ask('POST /firstPlace')).toBe(
      failed('405 Method Not Allowed', 'Method not allowed\n', 'Allow: PUT\r\n'),
    );
  });
});

describe('a failpoint that is hit', () => {
  test('sleeps as long as it is told, and the endpoint answers meanwhile', async () => {
    gofail.enable('firstPlace', '1*sleep(400)');
    // From another process: this one's loop stands still.
    const { spawn } = await import('node:child_process');
    const script = `setTimeout(() => fetch('http://127.0.0.1:${port}/secondPlace', { method: 'DELETE' }).then((r) => {
      console.log(r.status + ' ' + Date.now());
    }), 50);`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = new Promise<string>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk))));
    const until = Date.now() + 3000;
    let slept = 0;
    while (second.on && Date.now() < until) {
      gofail.enable('firstPlace', '1*sleep(400)');
      const start = performance.now();
      first.hit();
      slept = performance.now() - start;
      expect(slept).toBeGreaterThan(399);
      expect(slept).toBeLessThan(700);
    }
    const over = Date.now();
    // Only within a sleep could it be told: the loop has not turned.
    expect(second.on).toBe(false);
    const [status, at] = (await said).split(' ');
    expect(status).toBe('204');
    expect(Number(at)).toBeLessThan(over + 50);
  });

  test('does nothing when its terms are used up, nor when nothing listens to it', async () => {
    gofail.enable('firstPlace', '1*sleep(1)');
    first.hit();
    first.hit();
    expect(first.on).toBe(true);
    await gofail.stop();
    expect(first.on).toBe(false);
    first.hit();
  });
});

describe('GOFAIL_FAILPOINTS', () => {
  test('is taken at the start; names that are not known are left alone', () => {
    expect(second.on).toBe(true);
  });

  test('nothing set is nothing started', async () => {
    expect(await Gofail.start({})).toBe(null);
  });

  test('what cannot be read is an error', async () => {
    await expect(Gofail.start({ GOFAIL_FAILPOINTS: 'a=b=c' })).rejects.toMatchObject({ code: 'ERR_GOFAIL' });
    await expect(Gofail.start({ GOFAIL_HTTP: 'nowhere' })).rejects.toMatchObject({ code: 'ERR_GOFAIL' });
    await expect(Gofail.start({ GOFAIL_HTTP: `127.0.0.1:${port}` })).rejects.toThrow(/EADDRINUSE/);
  });
});
