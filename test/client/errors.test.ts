import { describe, expect, it } from 'vitest';
import { GrpcCode, makeStatus } from '../../src/client/core/status.js';
import { KeelError } from '../../src/client/errors.js';

describe('whether a failed write may have happened', () => {
  it.each([
    // The write that fills the database is applied, and answered with this.
    [GrpcCode.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded', true],
    [GrpcCode.RESOURCE_EXHAUSTED, 'etcdserver: too many requests', false],
    [GrpcCode.UNAVAILABLE, 'etcdserver: request timed out', true],
    [GrpcCode.INVALID_ARGUMENT, 'etcdserver: key is not provided', false],
  ])('%i %s: %s', (code, message, may) => {
    expect(KeelError.fromStatus(makeStatus(code, message)).mayHaveHappened).toBe(may);
    expect(KeelError.fromStatus(makeStatus(code, message, false)).mayHaveHappened).toBe(false);
  });
});
