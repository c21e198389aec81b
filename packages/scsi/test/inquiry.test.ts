import { hex } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { itWith } from '../../../tooling/oracle.js';
import { decodeDesignators, decodeInquiry, decodeVpd, inquiry, type LogicalUnitConfig } from '../src/index.js';
import { outputAbout } from './oracle.js';
import { Rig } from './rig.js';

function data(cdb: Uint8Array, unit: Partial<LogicalUnitConfig> = {}, lun = 0): Uint8Array {
  return new Rig({ units: [{ serial: 'A1B2C3D4', ...unit }] }).login(1).run(1, cdb, undefined, lun).data;
}

const STANDARD = inquiry();

describe('standard INQUIRY', () => {
  it.each([
    ['qualifier 0, a disk', 0, '00'],
    ['the medium is not removable', 1, '00'],
    ['version SPC-4', 2, '06'],
    ['HISUP, format 2', 3, '12'],
    ['additional length 91', 4, '5b'],
    ['implicit port groups, third-party copy, no access controls or protection', 5, '18'],
    ['one port', 6, '00'],
    ['CMDQUE', 7, '02'],
    ['vendor "Msft    "', 8, '4d73667420202020'],
    ['product "Virtual Disk    "', 16, '5669727475616c204469736b20202020'],
    ['revision "1.0 "', 32, '312e3020'],
    ['version descriptors SAM-5, SPC-4, SBC-3, iSCSI', 58, '00a0046004c00960'],
  ])('%s', (_what, offset, bytes) => {
    expect(hex(data(STANDARD)).slice(2 * offset, 2 * offset + bytes.length)).toBe(bytes);
  });

  it('is 96 bytes, however much more is asked for', () => {
    expect(data(inquiry(undefined, 511)).length).toBe(96);
    expect(data(inquiry(undefined, 511))).toEqual(data(inquiry(undefined, 512)));
  });

  it('is cut to the allocation length, which changes nothing inside', () => {
    expect(hex(data(inquiry(undefined, 5)))).toBe('000006125b');
    expect(data(inquiry(undefined, 0)).length).toBe(0);
  });

  it('a page code without EVPD is refused', () => {
    const cdb = inquiry();
    cdb[2] = 0x83;
    expect(new Rig().login(1).outcome(1, cdb)).toBe('5/24/00');
  });

  it('is read back', () => {
    expect(decodeInquiry(data(STANDARD, { vendor: 'QUORATE', product: 'LAB DISK', revision: '12' }))).toEqual({
      qualifier: 0,
      type: 0,
      isRemovable: false,
      version: 6,
      vendor: 'QUORATE',
      product: 'LAB DISK',
      revision: '12',
    });
  });

  it('says of a logical unit that does not exist that there is none', () => {
    const { status, data: answer } = new Rig().login(1).run(1, STANDARD, undefined, 9);
    expect(status).toBe(0);
    expect(decodeInquiry(answer)).toMatchObject({ qualifier: 3, type: 0x1f });
  });
});

describe('vital product data', () => {
  it.each([
    [0x00, '00 00 0008 0080 8386 8fb0 b1b2'],
    [0x80, `00 80 0008 ${hex(new Uint8Array([...'A1B2C3D4'].map((c) => c.charCodeAt(0))))}`],
    [0x86, `00 86 003c 00070001 ${'00'.repeat(56)}`],
    // a compare and write of 255 blocks, no unmap, write same of 65535, atomic write of 2048
    [0xb0, `00 b0 003c 00ff0008 00008000 00000800 ${'00'.repeat(20)} 000000000000ffff 00000800 ${'00'.repeat(16)}`],
    [0xb1, `00 b1 003c 0001 0050 ${'00'.repeat(56)}`],
    [0xb2, '00 b2 0004 00000000'],
  ])('page %i', (page, bytes) => {
    expect(hex(data(inquiry(page)))).toBe(bytes.replaceAll(' ', ''));
  });

  it('a thin unit tells how much it unmaps, and that it does', () => {
    const thin = (page: number): Uint8Array => data(inquiry(page), { isThin: true });
    expect(hex(thin(0xb0), 20, 32)).toBe('00010000' + '00000100' + '00000008');
    expect(hex(thin(0xb2))).toBe('00b200040be40200');
  });

  it('page 8Fh: EXTENDED COPY and RECEIVE COPY RESULTS, and their limits', () => {
    expect(hex(data(inquiry(0x8f)))).toBe(
      [
        '008f0058',
        '00010008' + '07830100' + '84020003',
        `0004001c${'00'.repeat(4)}0008000800000400${'00'.repeat(16)}`,
        '00080004' + '0202e400',
        `80010020${'00000001'.repeat(2)}0100000009${'00'.repeat(19)}`,
      ].join(''),
    );
  });

  it('page 83h: the unit by NAA and T10 name, the port by number, group and name', () => {
    const { page, body } = decodeVpd(data(inquiry(0x83), { naa: `6${'0123456789abcde'.repeat(2)}0` }))!;
    expect(page).toBe(0x83);
    const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
    const [naa, t10, port, group, name, ...rest] = decodeDesignators(body);
    expect(rest).toEqual([]);
    expect(hex(naa!.value)).toBe('60123456789abcde0123456789abcde0');
    expect(text(t10!.value)).toBe('Msft    Virtual Disk    A1B2C3D4');
    expect([naa, t10].map((each) => [each!.codeSet, each!.association, each!.type])).toEqual([
      [1, 0, 3],
      [2, 0, 1],
    ]);
    expect(hex(port!.value)).toBe('00000001');
    expect([port, group, name].map((each) => [each!.codeSet, each!.association, each!.type])).toEqual([
      [1, 1, 4],
      [1, 1, 5],
      [3, 1, 8],
    ]);
    expect(text(name!.value).replaceAll('\0', '')).toBe('iqn.2024-01.lab:disks,t,0x0001');
    expect(name!.value.length % 4).toBe(0);
  });

  it('the identifier follows from the serial, and differs with it', () => {
    const naaOf = (serial: string): string => hex(data(inquiry(0x83), { serial }).subarray(8, 24));
    expect(naaOf('one')).toBe(naaOf('one'));
    expect(naaOf('one')).not.toBe(naaOf('two'));
    expect(naaOf('one').startsWith('60022480')).toBe(true);
  });

  it('every listed page is there, any other is refused', () => {
    const rig = new Rig().login(1);
    const listed = rig.run(1, inquiry(0)).data.subarray(4);
    for (let page = 0; page < 256; page++) {
      expect(rig.outcome(1, inquiry(page)), `page ${page}`).toBe(listed.includes(page) ? '00' : '5/24/00');
    }
  });

  it('of a logical unit that does not exist is empty', () => {
    expect(hex(new Rig().login(1).run(1, inquiry(0x80), undefined, 9).data)).toBe('7f800000');
  });
});

describe('sg3_utils read it', () => {
  itWith(['sg_inq'], 'sg_inq: vendor, product, revision, versions', () => {
    const printed = outputAbout(data(STANDARD), 'sg_inq', (file) => ['--raw', `--inhex=${file}`]);
    expect(printed).toContain('Vendor identification: Msft');
    expect(printed).toContain('Product identification: Virtual Disk');
    expect(printed).toContain('Product revision level: 1.0');
    expect(printed).toMatch(/PDT=0 .*RMB=0 .*version=0x06 .*\[SPC-4\]/s);
    expect(printed).toContain('CmdQue=1');
    expect(printed).toContain('TPGS=1');
  });

  itWith(['sg_vpd'], 'sg_vpd: identification of unit and port', () => {
    const printed = outputAbout(data(inquiry(0x83)), 'sg_vpd', (file) => ['--raw', `--inhex=${file}`, '--page=di']);
    expect(printed).toContain('designator type: NAA,  code set: Binary');
    expect(printed).toContain('vendor id: Msft');
    expect(printed).toContain('Relative target port: 0x1');
    expect(printed).toContain('iqn.2024-01.lab:disks,t,0x0001');
  });

  itWith(['sg_vpd'], 'sg_vpd: provisioning, characteristics, third-party copy', () => {
    const read = (page: number, name: string): string =>
      outputAbout(data(inquiry(page), { isThin: true }), 'sg_vpd', (file) => [
        '--raw',
        `--inhex=${file}`,
        `--page=${name}`,
      ]);
    expect(read(0xb2, 'lbpv')).toMatch(/LBPU\): 1[\s\S]*LBPWS\): 1[\s\S]*LBPWS10\): 1[\s\S]*LBPRZ\): 1[\s\S]*thin/);
    expect(read(0xb1, 'bdc')).toContain('Non-rotating medium');
    expect(read(0x8f, 'tpc')).toMatch(/Maximum CSCD descriptor count: 8[\s\S]*Maximum segment length|EXTENDED COPY/i);
  });

  itWith(['sg_vpd'], 'sg_vpd: block limits', () => {
    const printed = outputAbout(data(inquiry(0xb0)), 'sg_vpd', (file) => ['--raw', `--inhex=${file}`, '--page=bl']);
    expect(printed).toMatch(/Maximum transfer length: 32768 blocks/);
    expect(printed).toMatch(/Maximum compare and write length: 255 blocks/);
    expect(printed).toMatch(/Maximum atomic transfer length: 2048/);
  });
});
