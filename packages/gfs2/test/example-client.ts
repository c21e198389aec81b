import { mkfs } from '@quorate/gfs2';
import { Gfs2Client } from '@quorate/gfs2/client';
import { Prng, utf8Bytes, utf8Text } from '@quorate/kernel';

const memory = new Uint8Array(32 << 20);
const options = { prng: new Prng(1, 2, 3, 4), wall: { sec: 1_446_127_500, nsec: 0 }, lockProtocol: 'lock_nolock' };
mkfs(options, { sizeBytes: memory.length, write: (at, bytes) => memory.set(bytes, at) });

export async function notes(): Promise<string[]> {
  const volume = await Gfs2Client.mount(
    {
      sizeBytes: memory.length,
      read: async (at, length) => memory.slice(at, at + length),
      write: async (at, bytes) => memory.set(bytes, at),
      flush: async () => {},
    },
    options,
  );
  await volume.mkdir('/notes');
  await volume.writeFile('/notes/first', utf8Bytes('Hello'));
  await volume.appendFile('/notes/first', utf8Bytes(', shared disk'));
  const names = (await volume.readdir('/notes')).map(({ name }) => name);
  const text = utf8Text(await volume.readFile('/notes/first'));
  await volume.unmount();
  return [...names, text];
}
