import { createServer } from 'node:net';

const FIRST = 10_000;
const LAST = 32_000; // below Linux' ephemeral range, so that no outgoing connection takes one between probe and use

let next = FIRST + ((process.pid * 7919) % (LAST - FIRST));

/** @returns `count` loopback ports that were free a moment ago; runs in other processes start elsewhere */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const port = next++;
    if (next >= LAST) next = FIRST;
    if (await isFree(port)) found.push(port);
  }
  return found;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
