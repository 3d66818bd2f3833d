import { parseSchedule } from '../machinery/cron/schedule.js';

/** What is wrong with a CronJob's schedule, or undefined. A zone in front (`TZ=`) is taken: it is refused elsewhere. */
export function checkSchedule(schedule: string): string | undefined {
  try {
    parseSchedule(schedule.replace(/^(TZ|CRON_TZ)=\S+\s+/, ''), 'UTC');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
