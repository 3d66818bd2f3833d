import { describe, expect, test } from 'vitest';
import { drawOptions } from '../../src/sim/options.js';
import { parseArguments, reproduceLine } from '../../src/sim/runner/arguments.js';
import { runSeed } from '../../src/sim/runner/seed.js';
import { faultsOf, shrink } from '../../src/sim/runner/shrink.js';
import { withTrap } from '../../src/sim/runner/trap.js';

describe('the trap', () => {
  test.each<[string, () => unknown]>([
    ['Date.now()', () => Date.now()],
    ['new Date()', () => new Date()],
    ['Math.random()', () => Math.random()],
    ['setTimeout()', () => setTimeout(() => {}, 0)],
    ['performance.now()', () => performance.now()],
    ['process.hrtime.bigint()', () => process.hrtime.bigint()],
  ])('%s throws inside and works outside', (_name, reach) => {
    expect(() => withTrap(reach)).toThrow('the real machine');
    expect(reach).not.toThrow();
  });
});

describe('a failing seed', () => {
  const mutants = ['45'];

  test('is found, made smaller, and reproduced by its line', { timeout: 60_000 }, () => {
    let seed = 1;
    let failure = null;
    for (; failure === null && seed < 50; seed++)
      failure = runSeed({ options: drawOptions(seed, { mutants }) }).failure;
    seed--;
    expect(failure).not.toBeNull();
    const options = drawOptions(seed, { mutants });
    const small = shrink(options, faultsOf(options), failure!, (runs) => runs < 6);
    const line = reproduceLine(seed, { overrides: small.overrides, faults: small.faults.map((f) => f.id), mutants });
    const args = parseArguments(line.replace('npm run sim -- ', '').split(' '));
    const again = drawOptions(seed, { ...args.overrides, mutants: args.mutants });
    const faults = faultsOf(again).filter((fault) => args.faults!.includes(fault.id));
    expect(runSeed({ options: again, faults }).failure?.rule).toBe(failure!.rule);
  });
});

describe('arguments', () => {
  test('what a user may type', () => {
    expect(parseArguments(['--seeds', '300'])).toMatchObject({ seeds: 300, from: null, faults: null });
    expect(parseArguments(['--seed=7', '--faults', '1,3', '--set', 'clients=1,profile=calm'])).toMatchObject({
      seeds: 1,
      from: 7,
      faults: [1, 3],
      overrides: { clients: 1, profile: 'calm' },
    });
    expect(parseArguments(['--speed'])).toMatchObject({ speed: true, seeds: 20 });
    expect(() => parseArguments(['--haste'])).toThrow('unknown flag --haste');
    expect(() => parseArguments(['--seeds', 'many'])).toThrow('no number');
  });
});
