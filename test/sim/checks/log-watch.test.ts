import { describe, expect, test } from 'vitest';
import type { LoggedEntry, LogView } from '../../../src/sim/checks/log-watch.js';
import { LogWatch } from '../../../src/sim/checks/log-watch.js';
import { Oracle } from '../../../src/sim/checks/oracle.js';
import { SimCluster } from '../../../src/sim/cluster.js';
import type { SimNode } from '../../../src/sim/node.js';
import { encodePutRequest, entryWire, makePutRequest } from '../../../src/wire/index.js';

/** A log whose entries are written one letter each, its term before it: `1a 1b 2c`. */
class Log implements LogView {
  readonly entries: LoggedEntry[];
  readonly firstIndex = 1;
  term: number;

  constructor(text: string, term = 1) {
    this.term = term;
    this.entries = text
      .split(' ')
      .filter((part) => part !== '')
      .map((part, i) => ({
        index: i + 1,
        term: Number(part.slice(0, -1)),
        type: 0,
        data: Buffer.from(part.slice(-1)),
      }));
  }

  get lastIndex(): number {
    return this.entries.length;
  }

  termAt(index: number): number {
    return index === 0 ? 0 : (this.entries[index - 1]?.term ?? -1);
  }
}

function watched(): { watch: LogWatch; found: string[]; append(name: string, text: string, from?: number): Log } {
  const found: string[] = [];
  const watch = new LogWatch((rule) => found.push(rule));
  const append = (name: string, text: string, from = 1): Log => {
    const log = new Log(text);
    watch.appended(name, log, log.entries.slice(from - 1));
    return log;
  };
  return { watch, found, append };
}

describe('I2 log matching', () => {
  test('logs that agree, and one that replaced its end, are well', () => {
    const { found, append } = watched();
    append('m1', '1a 1b 2c');
    append('m2', '1a 1b 1x');
    append('m2', '1a 1b 2c', 3);
    append('m3', '1a');
    expect(found).toEqual([]);
  });

  test.each([
    ['another command of one term at one index', '1a 1x'],
    ['another term before it', '1a 0b 2c'],
    ['a term that falls', '1a 1b 2c 1d'],
  ])('%s is found', (_what, other) => {
    const { found, append } = watched();
    append('m1', '1a 1b 2c');
    append('m2', other);
    expect(found).toContain('I2 log matching');
  });

  test('a log is held against the others when its member opens it', () => {
    const { watch, found, append } = watched();
    append('m1', '1a 1b 2c');
    watch.opened('m2', new Log('1a 0b 2c'));
    expect(found).toContain('I2 log matching');
  });
});

describe('I3 leader completeness', () => {
  test('a leader of a later term without a committed entry', () => {
    const { watch, found } = watched();
    watch.committed(1, 1, 1);
    watch.committed(2, 1, 1);
    watch.leads('m2', new Log('1a 1b 1c', 2));
    expect(found).toEqual([]);
    watch.leads('m3', new Log('1a', 3));
    expect(found).toEqual(['I3 leader completeness']);
  });

  test('... or with another one in its place', () => {
    const { watch, found } = watched();
    watch.committed(1, 1, 2);
    watch.leads('m2', new Log('2x', 3));
    expect(found).toEqual(['I3 leader completeness']);
  });

  test('a commit of an old leader when there is a new one already', () => {
    const { watch, found } = watched();
    watch.leads('m2', new Log('1a', 3));
    watch.committed(1, 1, 1);
    expect(found).toEqual([]);
    watch.committed(2, 1, 1);
    expect(found).toEqual(['I3 leader completeness']);
  });

  test('a leader need not have what is committed in its own term or later', () => {
    const { watch, found } = watched();
    watch.committed(5, 4, 4);
    watch.leads('m2', new Log('1a', 4));
    watch.leads('m3', new Log('1a', 2));
    expect(found).toEqual([]);
  });
});

describe('in a running cluster', () => {
  function cluster(): { cluster: SimCluster; oracle: Oracle } {
    const cluster = new SimCluster({ seed: 3 });
    const oracle = new Oracle();
    for (const node of cluster.nodes) {
      node.watcher = { opened: (_node, member) => oracle.attach(node, member), ended: () => {} };
      node.onFailure = () => {};
    }
    cluster.startAll();
    cluster.run(20_000, () => cluster.nodes.every((node) => node.ready));
    return { cluster, oracle };
  }

  function put(node: SimNode, key: string): void {
    const req = { ...makePutRequest(), key, value: Buffer.from(key) };
    node.enter((member) => member.put(req, encodePutRequest(req), { deadline: 0 }, { ok: () => {}, fail: () => {} }));
  }

  test('a byte that changes on its way to a follower breaks I2 before anything is applied', () => {
    const { cluster: c, oracle } = cluster();
    const leader = c.leader() as SimNode;
    const follower = c.nodes.find((node) => node !== leader) as SimNode;
    const member = follower.member!;
    const onMessages = member.onMessages.bind(member);
    member.onMessages = (from, messages) => {
      for (const { entries } of messages) {
        const [entry] = entries;
        if (entry === undefined || entry.dataBytes === 0) continue;
        // The bytes are the leader's too.
        entry.wire = Buffer.from(entryWire(entry));
        entry.wire[entry.wire.length - 1]! ^= 1;
      }
      onMessages(from, messages);
    };
    expect(oracle.violations).toEqual([]);
    put(leader, 'k');
    c.run(500, () => oracle.violations.length > 0);
    expect(oracle.violations[0]?.rule).toBe('I2 log matching');
  });
});
