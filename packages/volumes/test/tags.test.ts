import { Prng } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import { describe, expect, it } from 'vitest';
import {
  changeGroupTag,
  changeVolumeTag,
  commitGroup,
  createGroup,
  createVolume,
  findGroup,
  finish,
  lvsReport,
  newUuid,
  orphansOf,
  parseConfig,
  passesVolumeList,
  pvCreate,
  scanVolumes,
  storeDevice,
  type VolumeGroup,
  vgsReport,
} from '../src/index.js';

const prng = new Prng(1, 2, 3, 4);
const by = { host: 'alpha', time: 1_446_127_500 };
const device = storeDevice('/dev/sdb', new SparseStore({ blocks: 65_536 }));
finish(pvCreate(device, { uuid: newUuid(prng) }));
const members = orphansOf(finish(scanVolumes([device])));
const plain = createVolume(createGroup({ name: 'vg', id: newUuid(prng) }, members), {
  name: 'lv',
  id: newUuid(prng),
  extents: 1,
  creationHost: by.host,
  creationTime: by.time,
});

const tagged = changeVolumeTag(changeGroupTag(plain, { change: 'add', tag: 'blue' }), 'lv', {
  change: 'add',
  tag: 'red',
});

describe('tags', () => {
  it('are in the text on disk, and in reports', () => {
    const green = changeGroupTag(tagged, { change: 'add', tag: 'green/1' });
    finish(commitGroup(green, members, by));
    const { groups } = finish(scanVolumes([device]));
    expect(findGroup({ groups, physicalVolumes: [], defects: [] }, 'vg').group.tags).toEqual(['blue', 'green/1']);
    expect(vgsReport(groups, { fields: ['name', 'vg_tags'], hasHeadings: false })).toBe('  vg blue,green/1\n');
    expect(lvsReport(groups, undefined, { fields: ['tags', 'name'], separator: '|' })).toBe('  LV Tags|LV\n  red|lv\n');
  });

  it('are there once, and gone when they are taken away', () => {
    const twice = changeGroupTag(tagged, { change: 'add', tag: 'blue' });
    expect(twice.tags).toEqual(['blue']);
    expect(changeGroupTag(twice, { change: 'delete', tag: 'blue' }).tags).toEqual([]);
    expect(changeGroupTag(twice, { change: 'delete', tag: 'red' }).tags).toEqual(['blue']);
  });

  it.each(['', '-x', 'a b', 'a,b', 'x'.repeat(1025)])('%j is none', (tag) => {
    expect(() => changeGroupTag(plain, { change: 'add', tag })).toThrow(`Invalid tag ${tag.slice(0, 160)}`);
  });
});

describe('volume_list', () => {
  it.each<[string, VolumeGroup, boolean]>([
    ['', plain, true],
    ['activation { volume_list = [ ] }', plain, false],
    ['activation { volume_list = "vg" }', plain, true],
    ['activation { volume_list = [ "other", "vg/lv" ] }', plain, true],
    ['activation { volume_list = [ "vg/other" ] }', plain, false],
    ['activation { volume_list = [ "@blue" ] }', plain, false],
    ['activation { volume_list = [ "@blue" ] }', tagged, true],
    ['activation { volume_list = [ "@red" ] }', tagged, true],
    ['activation { volume_list = [ "@*" ] }', tagged, false],
    ['tags { blue { } }', plain, false],
    ['tags { blue { } }', tagged, true],
    ['tags { blue { host_list = [ "beta" ] } }', tagged, true],
    ['tags { blue { host_list = [ "alpha" ] } } activation { volume_list = [ "@*" ] }', tagged, true],
    ['tags { blue { host_list = [ "beta" ] } } activation { volume_list = [ "@*" ] }', tagged, false],
    ['tags { hosttags = 1 }', tagged, false],
    ['tags { hosttags = 1 }', changeGroupTag(plain, { change: 'add', tag: 'alpha' }), true],
  ])('%s', (text, group, isHere) => {
    expect(passesVolumeList(parseConfig(text), 'alpha', group, group.logicalVolumes[0]!)).toBe(isHere);
  });
});
