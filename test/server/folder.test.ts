import { describe, expect, test } from 'vitest';
import { makeMemberFolder, refuseForeignFolder } from '../../src/server/folder.js';
import { SimDisk } from '../../src/sim/disk.js';
import { Rng } from '../../src/util/rng.js';

function disk(): SimDisk {
  return new SimDisk({ schedule: () => {}, rng: new Rng(1) });
}

describe('the folder of a member', () => {
  test.each(['/m1', '/srv/keel/m1', '/a/b/c/d'])('%s survives a power cut with every folder above it', (dataDir) => {
    const d = disk();
    makeMemberFolder(d, dataDir);
    d.crash('none');
    expect(d.isDirectory(`${dataDir}/member`)).toBe(true);
  });

  test('one that a process made and could not sync is durable after the next start', () => {
    const d = disk();
    d.mkdirp('/m1/member');
    makeMemberFolder(d, '/m1');
    d.crash('none');
    expect(d.isDirectory('/m1/member')).toBe(true);
  });

  test("an etcd's database is refused, and nothing is made beside it", () => {
    const d = disk();
    d.mkdirp('/m1/member/snap');
    d.open('/m1/member/snap/db', { create: true }).writeSync(0, Buffer.from('x'));
    expect(() => refuseForeignFolder(d, '/m1')).toThrow(/holds a database of etcd.*keelutl snapshot restore/);
    expect(d.list('/m1/member')).toEqual(['snap']);
  });
});
