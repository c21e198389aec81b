import { type LockspaceView, Mode, orphansOf } from '@quorate/dlm';
import { MILLISECOND, type Nanos, type Os, SECOND, type Task } from '@quorate/kernel';
import type { DlmCall } from '@quorate/node';

/**
 * Whether a lockspace of programs grants locks: takes a real one, of this node alone, and gives it back by ending. 2 when it has not
 * come in time.
 *
 * Membership, quorum and the daemons can all be well while every lock call hangs.
 */
export function* probe(os: Os, view: LockspaceView, deadline: Nanos): Task<number> {
  const from = os.now();
  if (view.generation > 0) {
    if (!(yield* open(os, view.name))) return 1;
    const lock = { name: `probe ${view.nodeid}`, mode: Mode.EX, flags: 0 };
    yield* ask(os, { kind: 'lock', lockspace: view.name, process: os.pid, ...lock });
    const ast = yield* ask(os, { kind: 'read', lockspace: view.name, process: os.pid, timeout: deadline });
    if (typeof ast === 'object') {
      os.print(`${view.name} granted a lock within ${Math.ceil((os.now() - from) / MILLISECOND)} ms\n`);
      return 0;
    }
  }
  os.print(`${view.name} has granted no lock within ${deadline / SECOND} s\n`);
  return 2;
}

/** The locks that processes of this node left behind, which others wait for until they are adopted or purged. */
export function listOrphans(os: Os, view: LockspaceView): number {
  for (const { lkid, resource, mode, process } of orphansOf(view))
    os.print(`${lkid.toString(16).padStart(8, '0')} ${mode} pid ${process} "${resource}"\n`);
  return 0;
}

/** Unlocks them. */
export function* purge(os: Os, { name: lockspace }: LockspaceView): Task<number> {
  if (!(yield* open(os, lockspace))) return 1;
  yield* ask(os, { kind: 'purge', lockspace, process: os.pid });
  return 0;
}

/** A lockspace that a daemon or a file system has made has no device for others. */
function* open(os: Os, lockspace: string): Task<boolean> {
  const refused = yield* ask(os, { kind: 'open', lockspace, process: os.pid });
  if (refused !== undefined) os.printError(`dlm_tool: can't open lockspace ${lockspace}: ${refused}\n`);
  return refused === undefined;
}

function* ask(os: Os, call: DlmCall): Task<unknown> {
  return yield* os.call('dlm', call);
}
