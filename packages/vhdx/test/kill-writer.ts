import { writeSync } from 'node:fs';
import { openVhdxFile } from '../src/node/index.js';
import { BYTES_PER_WRITE, batchOf } from './kill-load.js';

// A program that writes one batch after the other into an image, says so after each flush, and never ends.
const [path = '', first = '0'] = process.argv.slice(2);
const { image } = openVhdxFile(path);
const bytes = new Uint8Array(BYTES_PER_WRITE);
for (let batch = Number(first); ; batch++) {
  for (const lba of batchOf(batch)) {
    new DataView(bytes.buffer).setUint32(0, batch);
    image.write(lba, bytes.fill(batch & 0xff, 4));
  }
  image.flush();
  writeSync(1, `${batch}\n`);
}
