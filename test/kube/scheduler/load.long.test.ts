import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestMember } from '../../rpc/support/member.js';
import { scheduleLoad } from '../../support/schedule-load.js';

let member: Awaited<ReturnType<typeof startTestMember>>;
beforeAll(async () => {
  member = await startTestMember();
});
afterAll(() => member?.stop());

test('1,000 pods on 100 nodes are placed within 20 s, evenly', async () => {
  const load = { endpoints: [member.endpoint], nodes: 100, pods: 1000, run: false };
  const { placedMs, createdMs, spread } = await scheduleLoad(load);
  console.log(
    `placed in ${Math.round(placedMs)} ms, created in ${Math.round(createdMs)} ms, spread ${spread.join('-')}`,
  );
  expect(placedMs).toBeLessThan(20_000);
  expect(spread[0]).toBeGreaterThanOrEqual(8);
  expect(spread[1]).toBeLessThanOrEqual(12);
}, 240_000);

test('and run there, where the nodes are simulated', async () => {
  const load = { endpoints: [member.endpoint], nodes: 100, pods: 1000, run: true };
  const { placedMs, runningMs } = await scheduleLoad(load);
  console.log(`placed in ${Math.round(placedMs)} ms, running after ${Math.round(runningMs ?? 0)} ms`);
  expect(placedMs).toBeLessThan(60_000);
  expect(runningMs).toBeLessThan(120_000);
}, 240_000);
