import { Prng } from '@quorate/kernel';
import { MemoryFile } from '@quorate/scsi';
import { checkVhdx, createVhdx, openVhdx } from '@quorate/vhdx';

const prng = Prng.derive({ hi: 0, lo: 1 }, 'disk/0/guids');
const random = (into: Uint8Array): void => {
  for (let i = 0; i < into.length; i++) into[i] = prng.below(256);
};
export const log: string[] = [];

const file = new MemoryFile();
createVhdx(file, { size: 100 * 1024 ** 3, random });
log.push(`new: ${file.size} bytes`);

const image = openVhdx(file, { random });
image.write(2048, new Uint8Array(512).fill(0x5a));
image.flush();
log.push(`written: ${file.size} bytes, log empty: ${image.info.isLogEmpty}`);
image.close();

const { kind, size, presentBlocks, payloadBlocks } = openVhdx(file, { isReadOnly: true }).info;
log.push(`${kind}, ${size} bytes, ${presentBlocks} of ${payloadBlocks} blocks, ${checkVhdx(file).length} findings`);
