import type { PlantedBug } from '../planted-bug.js';

/** Mistakes in the file system. */
export const FILE_SYSTEM_BUGS: readonly PlantedBug[] = [
  {
    name: 'grant-before-replay',
    rule: 'S23',
    what: "glocks are granted before a dead node's journal is replayed",
    file: 'packages/gfs2/src/glock/glocks.ts',
    find: 'if (this.#isBlocked && shouldFreeze(glock, reply)) glock.frozenReply = reply;',
    replace: 'if (this.#isBlocked && glock.isRefused) glock.frozenReply = reply;',
    ground: 'power-off',
  },
  {
    name: 'forget-freed-blocks',
    rule: 'S24',
    what: 'a dinode that is freed stays in the bitmap',
    file: 'packages/gfs2/src/inode/evict.ts',
    find: 'fs.rgrps.freeDinode(transaction, rgrp, inode);',
    replace: '',
    ground: 'hyperv-blog',
  },
  {
    name: 'replay-a-journal-twice',
    rule: 'S25',
    what: 'no header says that a journal was replayed',
    file: 'packages/gfs2/src/recovery/recover-journal.ts',
    find: 'yield* writeCleanHeader(fs, map, head);',
    replace: 'void writeCleanHeader(fs, map, head);',
    ground: 'hyperv-blog',
  },
  {
    name: 'ack-before-flush',
    rule: 'S26',
    what: 'fsync answers before anything is on the disk',
    file: 'packages/gfs2/src/calls/file-calls.ts',
    find: 'yield* fs.core.log.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_INODE_GO_SYNC, inode.glock.space);',
    replace: 'void fs.core.log.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_INODE_GO_SYNC, inode.glock.space);',
    ground: 'power-off',
  },
  {
    name: 'leave-journals',
    rule: 'L4',
    what: 'nobody replays the journal of a dead node',
    file: 'packages/gfs2/src/control/gfs-controld.ts',
    find: 'if (journal === undefined || group.isDlmStopped) return;',
    replace: 'if (journal === undefined || journal.failure > 0) return;',
    ground: 'jepsen-storm',
  },
];
