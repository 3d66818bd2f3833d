import { afterAll, expect, it } from 'vitest';
import { BcryptThread } from '../../src/env/bcrypt.js';

const thread = new BcryptThread();
afterAll(() => thread.close());

const hash = (password: string, cost: number): Promise<string> =>
  new Promise((done, fail) => thread.hash(password, cost, (err, text) => (err === null ? done(text) : fail(err))));
const same = (password: string, text: string): Promise<boolean> =>
  new Promise((done, fail) => thread.compare(password, text, (err, yes) => (err === null ? done(yes) : fail(err))));

it('writes $2a$ and knows its own', async () => {
  const text = await hash('höhe', 4);
  expect(text).toMatch(/^\$2a\$04\$[./A-Za-z0-9]{53}$/);
  expect(await same('höhe', text)).toBe(true);
  expect(await same('hohe', text)).toBe(false);
  expect(await same('', text)).toBe(false);
});

it('knows hashes that others made', async () => {
  // OpenBSD's test vectors, and a row of a real etcd's authUsers (Go writes $2a$).
  expect(await same('U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW')).toBe(true);
  expect(await same('', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy')).toBe(true);
});

it('takes what is no hash for a wrong password, and refuses what bcrypt would cut off', async () => {
  expect(await same('a', '')).toBe(false);
  expect(await same('a', 'no hash')).toBe(false);
  await expect(hash('x'.repeat(73), 4)).rejects.toThrow('bcrypt: password length exceeds 72 bytes');
});
