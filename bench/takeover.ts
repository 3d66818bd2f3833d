import type { Figures } from './figures.js';
import { amountOf } from './figures.js';
import { LoadConnection } from './load/connection.js';
import { delay, newCall } from './load/drive.js';
import { PUT, putMessage } from './load/requests.js';
import type { System } from './system.js';

const EVERY_MS = 5;
const PATIENCE_MS = 20_000;

/**
 * Kills the leader and puts to both members that are left, a put to each every 5 ms, until one is acknowledged that was
 * sent after the kill. The member is started again and caught up before the next.
 */
export async function killLeader(system: System, kills: number): Promise<Figures> {
  const times: number[] = [];
  for (let i = 0; i < kills; i++) {
    await system.locateLeader();
    await delay(1500);
    times.push(await once(system));
    await system.cluster.restart(system.leaderName);
    await system.cluster.converged();
  }
  await system.locateLeader();
  const sorted = [...times].sort((a, b) => a - b);
  const note = `${kills} kills: ${times.map((ms) => Math.round(ms)).join(', ')} ms`;
  return amountOf(sorted[Math.floor(sorted.length / 2)]!, 'ms', note);
}

async function once(system: System): Promise<number> {
  const connections = system.followerPorts.map((port) => new LoadConnection('127.0.0.1', port));
  const message = putMessage(Buffer.from('bench-takeover'), Buffer.alloc(256, 'x'));
  for (const connection of connections) connection.onError = () => {};
  await delay(200);
  let began = 0;
  let acked = 0;
  for (const connection of connections) {
    connection.onEnd = (call) => {
      if (!call.failed && acked === 0 && call.at > 0) acked = performance.now();
    };
  }
  const gone = system.cluster.kill9(system.leaderName);
  began = performance.now();
  await gone;
  while (acked === 0 && performance.now() - began < PATIENCE_MS) {
    for (const connection of connections) connection.call(PUT, message, { ...newCall(), at: performance.now() });
    await delay(EVERY_MS);
  }
  for (const connection of connections) connection.close();
  if (acked === 0) throw new Error(`no put was acknowledged within ${PATIENCE_MS} ms of the kill`);
  return acked - began;
}
