/** Keeps the records of Services' addresses and node ports right, now and every few minutes. */
import type { Logger } from '../../util/log.js';
import type { RepairOptions } from '../kinds/index.js';
import { repairAllocations } from '../kinds/index.js';

const INTERVAL_MS = 180_000;

/** @returns stops it; a pass that is under way comes to its end */
export function startAllocationRepairs(options: RepairOptions, log: Logger): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const pass = async (): Promise<void> => {
    try {
      const { freed, recorded, doubled } = await repairAllocations(options);
      if (freed.length + recorded.length > 0) log.info('records of service addresses repaired', { freed, recorded });
      if (doubled.length > 0) log.warn('addresses or ports that two services have', { doubled });
    } catch (error) {
      log.warn('service addresses could not be looked over; tried again later', { error: String(error) });
    }
  };
  running = pass();
  const timer = setInterval(() => {
    running = running.then(pass);
  }, INTERVAL_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
