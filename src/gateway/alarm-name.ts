import { AlarmType } from '../wire/index.js';

export function alarmName(alarm: number): string {
  if (alarm === AlarmType.NOSPACE) return 'NOSPACE';
  return alarm === AlarmType.CORRUPT ? 'CORRUPT' : 'UNKNOWN';
}
