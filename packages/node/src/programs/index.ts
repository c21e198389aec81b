import { type ClusterConf, parseClusterConf } from '@quorate/cluster-conf';
import {
  type FenceConf,
  fenceAckManual,
  fenceCheckProgram,
  fenceNodeProgram,
  fencePower,
  fenceScsi,
  fenceScsiCheck,
  fenceTool,
} from '@quorate/fencing';
import { isErrno, type Program, utf8Text } from '@quorate/kernel';
import { mkqdiskProgram } from '@quorate/qdisk';
import { agentPrograms } from '@quorate/rgmanager';
import { chkconfig } from '../init/chkconfig.js';
import { clvmdScript } from '../init/clvmd.js';
import { cmanScript } from '../init/cman.js';
import { daemonScript } from '../init/daemon-script.js';
import { gfs2Script } from '../init/gfs2.js';
import { iscsiScript } from '../init/iscsi.js';
import { restartable } from '../init/restartable.js';
import { rgmanagerScript } from '../init/rgmanager.js';
import { poweroff, rc, reboot, service, shutdown } from '../init/runlevel.js';
import { startUdev } from '../init/udev.js';
import type { RootFiles } from '../os/files.js';
import { quorumDisks } from '../os/quorum-disks.js';
import type { Storage } from '../os/storage.js';
import { CONF_FILE } from '../stack-config.js';
import { getfacl } from './acl/getfacl.js';
import { setfacl } from './acl/setfacl.js';
import { ccsConfigValidate } from './cman/ccs-config-validate.js';
import { ccsSync } from './cman/ccs-sync.js';
import { cmanTool } from './cman/cman-tool.js';
import { corosyncCpgtool } from './corosync/corosync-cpgtool.js';
import { corosyncQuorumtool } from './corosync/corosync-quorumtool.js';
import { DAEMONS, daemonProgram, killall } from './daemon-control.js';
import { databasePrograms } from './database/index.js';
import { dd } from './dd/dd.js';
import { fdisk } from './fdisk.js';
import { chmod, chown } from './gfs2/change-attributes.js';
import { fsckGfs2 } from './gfs2/fsck-gfs2.js';
import { fsfreeze, gfs2Tool } from './gfs2/fsfreeze.js';
import { fstrim } from './gfs2/fstrim.js';
import { gfs2Grow } from './gfs2/gfs2-grow.js';
import { gfs2Jadd } from './gfs2/gfs2-jadd.js';
import { mkfsGfs2 } from './gfs2/mkfs-gfs2.js';
import { httpd } from './httpd.js';
import { iscsiadm } from './iscsiadm/iscsiadm.js';
import { libvirtPrograms } from './libvirt/index.js';
import { lvmPrograms } from './lvm/index.js';
import { mount, umount } from './mount.js';
import { arping, ifconfig, ip } from './network-tools.js';
import { nfsPrograms } from './nfs/index.js';
import { partprobe } from './partprobe.js';
import { ping } from './ping.js';
import { plainDaemons } from './plain-daemons.js';
import { quotaPrograms } from './quota/index.js';
import { ricci } from './ricci.js';
import { route } from './routes.js';
import { sh } from './sh/sh.js';
import { sshd } from './ssh/sshd.js';
import { watchdog } from './watchdog.js';

/** What init scripts, heuristics and agents call: the programs that every node has. */
export function basePrograms(
  files: RootFiles,
  storage: Storage,
  gateway: string | undefined,
): ReadonlyMap<string, Program> {
  const { disks } = storage;
  let known: { readonly text: string; readonly conf: ClusterConf } | undefined;
  const conf = (): ClusterConf | undefined => {
    const bytes = files.read(CONF_FILE);
    if (isErrno(bytes)) return undefined;
    const text = utf8Text(bytes);
    if (known?.text !== text) known = { text, conf: parseClusterConf(text, CONF_FILE).conf };
    return known.conf;
  };
  const fenceConf = (): FenceConf => {
    const read = conf();
    return { nodes: read?.nodes ?? [], devices: read?.fenceDevices ?? [] };
  };
  return new Map<string, Program>([
    ['bash', sh],
    ['sh', sh],
    ['ping', ping],
    ['arping', arping],
    ['ip', ip(gateway)],
    ['route', route(gateway)],
    ['ifconfig', ifconfig],
    ['mount', mount],
    ['umount', umount],
    ['httpd', httpd],
    ['iscsiadm', iscsiadm],
    ['chkconfig', chkconfig],
    ['killall', killall],
    ['cman_tool', cmanTool],
    ['ccs_config_validate', ccsConfigValidate],
    ['ccs_sync', ccsSync],
    ['corosync-quorumtool', corosyncQuorumtool],
    ['corosync-cpgtool', corosyncCpgtool],
    ['mkqdisk', mkqdiskProgram(() => quorumDisks(disks))],
    ['dd', dd(storage)],
    ['fdisk', fdisk(storage)],
    ['partprobe', partprobe(storage)],
    ['mkfs.gfs2', mkfsGfs2(storage)],
    ['fsck.gfs2', fsckGfs2(storage)],
    ['gfs2_grow', gfs2Grow(storage)],
    ['gfs2_jadd', gfs2Jadd],
    ['gfs2_tool', gfs2Tool],
    ['getfacl', getfacl],
    ['setfacl', setfacl],
    ['chmod', chmod],
    ['chown', chown],
    ['fsfreeze', fsfreeze],
    ['fstrim', fstrim],
    ['fence_tool', fenceTool],
    ['fence_node', fenceNodeProgram(fenceConf)],
    ['fence_check', fenceCheckProgram(fenceConf)],
    ['fence_ack_manual', fenceAckManual],
    ['fence_scsi', fenceScsi],
    ['fence_scsi_check', fenceScsiCheck],
    ['fence_scsi_check_hardreboot', fenceScsiCheck],
    ['fence_power', fencePower],
    ['ricci', ricci],
    ['sshd', sshd],
    ['watchdog', watchdog],
    ['shutdown', shutdown],
    ['poweroff', poweroff],
    ['reboot', reboot],
    ['service', service],
    ['/sbin/start_udev', startUdev(disks)],
    ['/etc/rc.d/rc', rc],
    ['/etc/init.d/iscsi', iscsiScript],
    ['/etc/init.d/cman', (argv, os) => cmanScript(hasQuorumDisk(conf))(argv, os)],
    ['/etc/init.d/clvmd', restartable(clvmdScript(storage))],
    ['/etc/init.d/gfs2', restartable(gfs2Script)],
    [
      '/etc/init.d/sshd',
      restartable(daemonScript({ daemon: '/usr/sbin/sshd', label: 'sshd', title: 'openssh-daemon' })),
    ],
    ['/etc/init.d/rgmanager', restartable(rgmanagerScript)],
    ['/etc/init.d/ricci', restartable(daemonScript({ daemon: 'ricci', label: 'ricci', title: 'ricci' }))],
    ['/etc/init.d/watchdog', daemonScript({ daemon: 'watchdog', label: 'watchdog daemon', title: 'watchdog' })],
    ...DAEMONS.map((daemon): [string, Program] => [daemon, daemonProgram(daemon)]),
    ...lvmPrograms(storage),
    ...databasePrograms,
    ...nfsPrograms,
    ...quotaPrograms,
    ...plainDaemons,
    ...libvirtPrograms,
    ...agentPrograms,
  ]);
}

/** A file that cannot be read is complained about by cman itself. */
function hasQuorumDisk(conf: () => { readonly quorumd: unknown } | undefined): boolean {
  try {
    return conf()?.quorumd !== undefined;
  } catch {
    return false;
  }
}
