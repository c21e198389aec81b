import { SECOND } from '@quorate/kernel';
import { type Lab, plainTopology, type Scenario, type Topology } from '@quorate/lab';
import { SparseStore } from '@quorate/scsi';

/** Two machines on a switch with a disk of 8 MiB that has one block written. */
export function twoMachines(): Topology {
  const image = new SparseStore({ blocks: 16_384 });
  image.write(2, new Uint8Array(512).fill(0x5a));
  return plainTopology({ machines: 2, image });
}

/** What came of the commands of `PING`. */
export interface PingResult {
  readonly ping: string;
  readonly status: number | undefined;
  readonly whenOff: number | undefined;
}

/** Both machines boot, one pings the other, then loses its power. */
export function pingScenario(): Scenario<PingResult> {
  return {
    name: 'ping',
    title: 'one machine pings another',
    kinds: ['node.state'],
    *script(lab: Lab) {
      lab.powerOn(...lab.machines);
      yield* lab.waitFor((fact) => fact.node === 2 && 'state' in fact && fact.state === 'up', 60 * SECOND);
      yield* lab.wait(2 * SECOND);
      const ping = yield* lab.exec('node1', 'ping -c2 10.0.0.2');
      lab.powerOff('node1', 'node2');
      const off = yield* lab.waitFor((fact) => fact.node === 1 && 'state' in fact && fact.state === 'off', 5 * SECOND);
      const refused = yield* lab.exec('node1', 'true');
      return { ping: ping?.output ?? '', status: ping?.status, whenOff: off === undefined ? -1 : refused?.status };
    },
    atEnd(stores, now) {
      const bytes = new Uint8Array(512);
      stores.get(0)!.read(2, 1, bytes);
      return [{ kind: 'test.disk', now, first: bytes[0] } as never];
    },
  };
}
