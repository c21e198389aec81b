import { type Program, SECOND } from '@quorate/kernel';

/** Exit status of `status` for something that is stopped. Source: LSB, init scripts. */
const NOT_RUNNING = 3;

/**
 * `/etc/init.d/NAME start|stop|status`: an init script of something that runs while its lock file is there, and takes a second to start
 * and to stop.
 */
export const worker: Program = function* worker([file = '', action], os) {
  const lock = `/var/lock/subsys/${file.slice(file.lastIndexOf('/') + 1)}`;
  switch (action) {
    case 'start':
      yield* os.sleep(SECOND);
      yield* os.makeDirectory('/var/lock/subsys');
      yield* os.writeFile(lock, new Uint8Array(0));
      return 0;
    case 'stop':
      yield* os.sleep(SECOND);
      yield* os.remove(lock);
      return 0;
    case 'status':
      return typeof (yield* os.stat(lock)) === 'string' ? NOT_RUNNING : 0;
    default:
      return 2;
  }
};
