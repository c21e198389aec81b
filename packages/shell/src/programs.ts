import type { Program } from '@quorate/kernel';
import { getenforce, passwd, setenforce, unneededService, yum } from './accepted.js';
import { awk } from './awk.js';
import { ccs } from './ccs/ccs.js';
import { column } from './column.js';
import { gfsControl } from './control-tools.js';
import { curl } from './curl.js';
import { cut } from './cut.js';
import { date } from './date.js';
import { df } from './df.js';
import { diff } from './diff.js';
import { dlmTool } from './dlm-tool.js';
import { du } from './du.js';
import { head, tail } from './excerpt.js';
import { cp, mkdir, mv, rm, rmdir, sync, touch } from './files.js';
import { find } from './find/find.js';
import { flock } from './flock.js';
import { grep } from './grep.js';
import { groupTool } from './group-tool.js';
import { ln, readlink } from './ln.js';
import { ls } from './ls.js';
import { md5sum } from './md5sum.js';
import { basename, dirname } from './path-names.js';
import { hostname, ps } from './processes.js';
import { rgTest } from './rg-test.js';
import { sed } from './sed/sed.js';
import { seq } from './seq.js';
import { clustat, clusvcadm } from './services.js';
import { sgPersist } from './sg-persist.js';
import { sort } from './sort.js';
import { scp, ssh } from './ssh.js';
import { stat } from './stat.js';
import { constant, dmesg, sleep, uname, uptime } from './system.js';
import { tee } from './tee.js';
import { cat, echo, tac, wc } from './text.js';
import { tr } from './tr.js';
import { uniq } from './uniq.js';
import { id, who, whoami } from './users.js';
import { xargs } from './xargs.js';

/** What an administrator types, by name. cman's and fenced's tools come with the node, whose init scripts need them. */
export const administratorsPrograms: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['awk', awk],
  ['basename', basename],
  ['cat', cat],
  ['ccs', ccs],
  ['clustat', clustat],
  ['clusvcadm', clusvcadm],
  ['column', column],
  ['cp', cp],
  ['curl', curl],
  ['cut', cut],
  ['date', date],
  ['df', df],
  ['diff', diff],
  ['dirname', dirname],
  ['dlm_tool', dlmTool],
  ['dmesg', dmesg],
  ['du', du],
  ['echo', echo],
  ['false', constant(1)],
  ['find', find],
  ['flock', flock],
  ['getenforce', getenforce],
  ['gfs_control', gfsControl],
  ['grep', grep],
  ['group_tool', groupTool],
  ['head', head],
  ['hostname', hostname],
  ['id', id],
  ['less', cat],
  ['ln', ln],
  ['ls', ls],
  ['md5sum', md5sum],
  ['mkdir', mkdir],
  ['more', cat],
  ['mv', mv],
  ['passwd', passwd],
  ['ps', ps],
  ['readlink', readlink],
  ['rg_test', rgTest],
  ['rm', rm],
  ['rmdir', rmdir],
  ['scp', scp],
  ['sed', sed],
  ['seq', seq],
  ['setenforce', setenforce],
  ['sg_persist', sgPersist],
  ['sleep', sleep],
  ['sort', sort],
  ['ssh', ssh],
  ['stat', stat],
  ['sync', sync],
  ['tac', tac],
  ['tail', tail],
  ['tee', tee],
  ['touch', touch],
  ['tr', tr],
  ['true', constant(0)],
  ['uname', uname],
  ['uniq', uniq],
  ['uptime', uptime],
  ['wc', wc],
  ['who', who],
  ['whoami', whoami],
  ['xargs', xargs],
  ['yum', yum],
  ...['luci', 'modclusterd'].map((name): [string, Program] => [`/etc/init.d/${name}`, unneededService(name)]),
]);
