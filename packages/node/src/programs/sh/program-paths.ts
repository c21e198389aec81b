/** Where programs are looked for. */
export const PATH: string = '/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin:/root/bin';

const PLACES: readonly (readonly [directory: string, names: string])[] = [
  [
    '/bin',
    'awk cat chmod chown cp cut date dd df dmesg echo grep hostname ln ls mkdir mount mv ping ps rm rmdir sed sh sleep sort stat sync touch umount uname',
  ],
  [
    '/sbin',
    'arping chkconfig fdisk fsck.gfs2 fsfreeze ifconfig ip iscsiadm lvcreate lvextend lvs mkfs.gfs2 partprobe pvcreate pvs quotacheck quotaon reboot route service shutdown vgchange vgcreate vgs',
  ],
  [
    '/usr/bin',
    'curl du find flock getfacl head mysql psql quota scp setfacl sg_persist ssh tail tr uniq uptime virsh wc xargs',
  ],
];

/** Where a program of that name is on a machine of RHEL 6. */
export function programPath(name: string): string {
  const [directory] = PLACES.find(([, names]) => names.split(' ').includes(name)) ?? ['/usr/sbin'];
  return `${directory}/${name}`;
}
