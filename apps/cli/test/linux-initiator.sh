# What the guest does with the disk: logs in, partitions it, makes a file system, mounts it, reads back, registers a key.
# PORT and TARGET come from the kernel's command line.
ifconfig lo 127.0.0.1 up
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
route add default gw 10.0.2.2

iscsistart -i iqn.2024-01.guest:linux -t "$TARGET" -g 1 -a 10.0.2.2 -p "$PORT" && echo 'guest: logged in'
tries=0
until [ -b /dev/sda ] || [ "$tries" = 60 ]; do
  sleep 1
  tries=$((tries + 1))
done
echo '2048,,83' | sfdisk -q --label dos /dev/sda && echo 'guest: partitioned'
sleep 1
mkfs.ext4 -q -F /dev/sda1 && echo 'guest: made a file system'
mount -t ext4 /dev/sda1 /mnt && echo 'guest: mounted it'
dd if=/dev/urandom of=/mnt/file bs=1M count=24
before=$(md5sum /mnt/file)
umount /mnt
echo 3 >/proc/sys/vm/drop_caches
mount -t ext4 /dev/sda1 /mnt
[ "$before" = "$(md5sum /mnt/file)" ] && echo 'guest: read back what it wrote'
umount /mnt
e2fsck -fn /dev/sda1 && echo 'guest: the file system is clean'
sg_persist -o -G -S 0xabc /dev/sda && sg_persist -i -k /dev/sda
