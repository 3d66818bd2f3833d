import { expect, test } from 'vitest';
import { checkSchedule } from '../../../src/kube/kinds/cron-schedule.js';

test.each([
  '* * * * *',
  '*/5 0-6 1,15 jan-mar MON-fri',
  '0 0 * * 0',
  '0 0 ? * *',
  '5-55/10 * * * *',
  '30/5 * * * *',
  '@hourly',
  '@every 1h30m',
  'TZ=Europe/Berlin 0 0 * * *',
])('%s is a schedule', (schedule) => {
  expect(checkSchedule(schedule)).toBeUndefined();
});

test.each([
  ['', 'empty spec string'],
  ['* * * * * *', 'expected exactly 5 fields, found 6: [* * * * * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['* * * 13 *', 'end of range (13) above maximum (12): 13'],
  ['* * * * 7', 'end of range (7) above maximum (6): 7'],
  ['5-3 * * * *', 'beginning of range (5) beyond end of range (3): 5-3'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['*/2/3 * * * *', 'too many slashes: */2/3'],
  ['@often', 'unrecognized descriptor: @often'],
  ['@every soon', 'failed to parse duration @every soon: time: invalid duration "soon"'],
])('%j is none', (schedule, why) => {
  expect(checkSchedule(schedule)).toBe(why);
});
