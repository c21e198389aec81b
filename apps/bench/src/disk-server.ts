import { IscsiServer } from '@quorate/iscsi/node';
import { FileStore } from '@quorate/scsi';
import { NodeFile } from '@quorate/scsi/node';

// A target with one file, `disk-server.js FILE`, in a process of its own, so that its memory is its own. It tells its parent the
// port, on `memory` what it has now, and on `end` it ends and tells the most that it had.
const [path = ''] = process.argv.slice(2);
const file = new NodeFile(path);
const server = new IscsiServer({
  port: 0,
  targets: [
    { name: 'iqn.2024-01.quorate:bench', logicalUnits: [{ lun: 0, serial: 'BENCH-1', store: new FileStore(file) }] },
  ],
});
const { port } = await server.listen();
process.on('message', (word) => {
  if (word === 'memory') {
    process.send!({ residentBytes: process.memoryUsage.rss() });
    return;
  }
  void server.close().then(() => {
    file.close();
    process.send!({ peakBytes: process.resourceUsage().maxRSS * 1024 });
    process.disconnect();
  });
});
process.send!({ port });
