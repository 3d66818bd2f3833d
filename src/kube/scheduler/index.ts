/** The scheduler: the front door. */
import type { StartController } from '../kit/index.js';
import { Scheduler } from './scheduler.js';

export { DEFAULT_SCHEDULER, Scheduler } from './scheduler.js';

export const startScheduler: StartController = (context) => {
  const scheduler = new Scheduler(context);
  scheduler.start();
  return { name: 'scheduler', stop: () => scheduler.stop() };
};
