# What Linux does with each volume, /dev/vda and on, but the last disk: mounts it, which replays its journals, and lists what is there.
# To so many as WRITTEN says it adds a tree of its own, and lists again after another mount: Linux writes no numbers of devices, but
# knows those of inodes in memory. The listings and the kernel's words go to the last disk as an archive.
mkdir /out
disks=$(echo /dev/vd?)
last=${disks##* }
for disk in ${disks% *}; do
  name=${disk##*/}
  exec 2>"/out/$name.errors"
  mount -t gfs2 -o lockproto=lock_nolock "$disk" /mnt || continue
  (cd /mnt && XATTRS='*' sh /in/list.sh) >"/out/$name.before"
  if [ "$WRITTEN" -gt 0 ]; then
    WRITTEN=$((WRITTEN - 1))
    mkdir /mnt/linux
    (cd /mnt/linux && K=4 sh /in/populate.sh)
    umount /mnt
    mount -t gfs2 -o lockproto=lock_nolock "$disk" /mnt || continue
    (cd /mnt && sh /in/list.sh) >"/out/$name.after"
  fi
  umount /mnt
done
dmesg >/out/kernel-log
tar -cf "$last" -C /out .
sync
