# Every object is asked for extended attributes whose path matches $XATTRS; by default those under a name with "xattr": it takes long.
# one line per object: type|mode|links|uid|gid|size|512-byte blocks|mtime|inode|rdev major:minor|path
# then symlink targets, then sha256 of regular files of at most 32 MiB, then sha256 of the last 64 KiB of larger ones
find . | sort | tr '\n' '\0' | xargs -0 stat -c '%F|%a|%h|%u|%g|%s|%b|%Y|%i|%t:%T|%n'
find . -type l | sort | while IFS= read -r p; do echo "symlink|$p|$(readlink "$p")"; done
find . -type f -size -65537 | sort | tr '\n' '\0' | xargs -0 sha256sum | sed 's/^/sha256|/'
find . -type f -size +65536 | sort | while IFS= read -r p; do echo "tail64k|$(tail -c 65536 "$p" | sha256sum | cut -c1-64)  $p"; done
[ -x /in/tool ] && find . \( -type f -o -type d \) | sort | while IFS= read -r p; do case $p in ${XATTRS:-*xattr*}) /in/tool listx "$p";; esac; done
true
