import { describe, expect, it } from 'vitest';
import { backupText, checkGroup, decodeMetadataText, encodeMetadataText, FormatError } from '../src/index.js';
import { recorded } from './recorded.js';

/** What LVM says of itself in a text's comments. */
const LVM = {
  program: 'LVM2 version 2.03.16(2) (2022-05-18)',
  system: 'Linux my-vm1 2.6.78-fc-v657 #1 SMP PREEMPT_DYNAMIC @0 x86_64',
};

describe('the recorded texts', () => {
  it('of a metadata area: it is read, and written byte for byte', () => {
    const metadata = decodeMetadataText(recorded.metadata);
    expect(metadata.group).toMatchObject({
      name: 'my-vg1',
      seqno: 5,
      status: ['RESIZEABLE', 'READ', 'WRITE'],
      tags: ['seed'],
      extentSize: 8192,
      physicalVolumes: [
        { key: 'pv0', device: '/dev/loop0', devSize: 131_072, peStart: 2048, peCount: 15 },
        { key: 'pv1', device: '/dev/loop1', devSize: 131_072, peStart: 2048, peCount: 15 },
      ],
      logicalVolumes: [{ name: 'my-store1' }, { name: 'my-store2' }],
      other: [],
    });
    expect(encodeMetadataText(metadata, LVM)).toBe(`${recorded.metadata}\0`);
  });

  it('of vgcfgbackup: it says the same, and is written byte for byte', () => {
    const backup = decodeMetadataText(recorded.backup);
    expect(backup.group).toEqual(decodeMetadataText(recorded.metadata).group);
    expect(backupText(backup, LVM)).toBe(recorded.backup);
  });

  it('what newer versions add is kept', () => {
    const text = recorded.metadata
      .replace('extent_size', 'lock_type = "dlm"\nextent_size')
      .replace('segment_count', 'profile = "fast"\nsegment_count');
    const metadata = decodeMetadataText(text);
    expect(metadata.group.other).toEqual([{ key: 'lock_type', value: 'dlm' }]);
    expect(encodeMetadataText(metadata, LVM)).toBe(`${text}\0`);
  });

  it('segments of other types are kept', () => {
    const text = recorded.metadata.replace(
      /type = "striped"\nstripe_count = 1\n\nstripes = \[\n"pv0", 0\n\]/,
      'type = "thin"\nthin_pool = "pool"\ntransaction_id = 1',
    );
    const metadata = decodeMetadataText(text);
    expect(metadata.group.logicalVolumes[0]!.segments[0]).toMatchObject({ type: 'thin', stripes: [] });
    expect(encodeMetadataText(metadata, LVM)).toBe(`${text}\0`);
  });
});

describe('a text that contradicts itself', () => {
  it.each([
    ['no contents', /contents = .*/, '', ': contents: found nothing, expected a string'],
    ['other contents', 'Text Format', 'Other', 'contents "Other Volume Group" version 1, expected'],
    ['no group', /^[\s\S]*\n}\n/, '', '0 sections, expected one: the volume group'],
    ['an identifier that is none', /id = "/, 'id = "x', 'my-vg1: id "x'],
    ['no seqno', /seqno = 5/, '', 'my-vg1: seqno: found nothing, expected a whole number'],
    [
      'a negative extent size',
      'extent_size = 8192',
      'extent_size = -1',
      'my-vg1: extent_size: found -1, expected a whole',
    ],
    ['no extent size', 'extent_size = 8192', 'extent_size = 0', 'my-vg1: extent_size 0, expected more than 0'],
    ['another format', 'format = "lvm2"', 'format = "lvm1"', 'my-vg1: format "lvm1", expected "lvm2"'],
    [
      'status without array',
      'status = ["RESIZEABLE", "READ", "WRITE"]',
      'status = 1',
      'my-vg1: status: found 1, expected an array',
    ],
    [
      'physical volumes that are a value',
      /physical_volumes \{[\s\S]*\n}\n}\n\nlog/,
      'physical_volumes = 1\nlog',
      'my-vg1: physical_volumes: a value',
    ],
    [
      'a segment too few',
      'segment_count = 3',
      'segment_count = 4',
      'my-vg1/logical_volumes/my-store1: segment4: nothing, expected a section',
    ],
    [
      'a million segments',
      'segment_count = 3',
      'segment_count = 1000001',
      'segment_count 1000001, expected at most 1000000',
    ],
    ['a gap', 'start_extent = 10', 'start_extent = 11', 'expected'],
    ['an unknown physical volume', '"pv1", 0', '"pv7", 0', 'my-vg1: my-store1 lies on pv7, which is not there'],
    ['an extent behind the end', '"pv1", 0', '"pv1", 14', 'and it has 15'],
    ['stripes without extent', '"pv1", 0', '"pv1"', 'values in stripes, expected 2'],
    ['a stripe without name', '"pv1", 0', '1, 0', 'stripe 0 is not the name of a volume and an extent of it'],
    ['the same name twice', 'my-store2 {', 'my-store1 {', 'my-vg1: logical volume my-store1 is there twice'],
  ])('%s', (_, from, to, why) => {
    const text = recorded.metadata.replace(from, to);
    expect(text).not.toBe(recorded.metadata);
    const decode = () => decodeMetadataText(text, (index) => 4608 + index);
    expect(decode).toThrow(FormatError);
    expect(decode).toThrow(/^metadata text at byte 4608: /);
    expect(decode).toThrow(why);
  });

  it('a syntax error has its place', () => {
    const text = recorded.metadata.replace('seqno = 5', 'seqno = ]');
    expect(() => decodeMetadataText(text, (index) => 4608 + index)).toThrow(
      `metadata text at byte ${4608 + text.indexOf(']')}: "]", expected a value`,
    );
  });
});

it.each(['a/b', '..', '-a', 'a b'])('a volume called %j is refused', (name) => {
  const text = recorded.metadata.replace('my-store2 {', `"${name}" {`);
  expect(() => decodeMetadataText(text)).toThrow(
    `metadata text at byte 0: my-vg1/logical_volumes/${name}: the name is invalid, expected A-Z`,
  );
});

describe('checkGroup', () => {
  const { group } = decodeMetadataText(recorded.metadata);

  it('finds nothing in what LVM wrote', () => {
    expect(checkGroup(group)).toEqual([]);
  });

  it('names both owners of an extent', () => {
    const logicalVolumes = group.logicalVolumes.map((each) => ({
      ...each,
      segments: [{ ...each.segments[0]!, startExtent: 0, extentCount: 4, stripes: [{ on: 'pv0', extent: 2 }] }],
    }));
    expect(checkGroup({ ...group, logicalVolumes })).toEqual([
      'extents 2 to 5 of pv0 are of my-store1 and of my-store2',
    ]);
  });
});
