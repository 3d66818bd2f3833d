import { defineConfig } from 'vitest/config';

// `npm test` leaves out *.long.test.ts; `npm run test:all` sets KEEL_TEST_ALL=1 and runs them too.
const all = process.env.KEEL_TEST_ALL === '1';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: all ? [] : ['test/**/*.long.test.ts'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
  },
});
