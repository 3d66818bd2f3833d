import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpiryHeap } from '../../src/lease/expiry-heap.js';
import { Lease } from '../../src/lease/lease.js';
import { check } from '../support/fc.js';

const anyStep = fc.oneof(
  fc.record({ do: fc.constant('set' as const), id: fc.nat(12), due: fc.nat(20) }),
  fc.record({ do: fc.constant('remove' as const), id: fc.nat(12), due: fc.constant(0) }),
);

describe('the expiry heap', () => {
  it('has the earliest lease on top whatever is moved and removed', () => {
    check(
      fc.property(fc.array(anyStep, { maxLength: 80 }), (steps) => {
        const heap = new ExpiryHeap();
        const leases = Array.from({ length: 13 }, (_, id) => new Lease(BigInt(id), 1, 0));
        const twin = new Map<number, number>();
        for (const { do: what, id, due } of steps) {
          if (what === 'set') {
            heap.set(leases[id]!, due);
            twin.set(id, due);
          } else {
            heap.remove(leases[id]!);
            twin.delete(id);
          }
          const first = [...twin].sort(([a, x], [b, y]) => x - y || a - b)[0];
          expect(heap.size).toBe(twin.size);
          expect(heap.peek()?.id).toBe(first === undefined ? undefined : BigInt(first[0]));
        }
      }),
    );
  });
});
