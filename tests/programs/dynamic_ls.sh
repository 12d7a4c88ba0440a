#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The distribution's ls, with files whose every property is known.
export LC_ALL=C TZ=UTC0
ls=/bin/ls
export PATH=/usr/bin:/usr/sbin:/bin
work=/tmp/ls.work
umask 022
busybox rm -rf $work
mkdir -p $work/folder/inner && cd $work || exit 1
printf 'twelve bytes' >small
busybox head -c 100000 /dev/zero >large
: >empty
ln -s small link
ln -s nowhere dangling
ln small hard
busybox mkfifo fifo
printf '#!/bin/sh\n' >program
chmod 755 program
chmod 4711 large
chmod 0 empty
chmod 1777 folder
printf x >'folder/a name with blanks'
printf x >folder/.hidden
printf x >folder/inner/deep
for f in small large empty program fifo folder/inner/deep folder/inner 'folder/a name with blanks' folder/.hidden; do
	touch -d '2020-02-29 12:34:56' "$f"
done
touch -d '2001-09-09 01:46:40' folder
touch -h -d '2010-10-10 10:10:10' link dangling

echo '--- a list'
$ls
echo '--- -l'
$ls -l | busybox sed 's/^total .*/total/'
echo '--- -la folder'
$ls -la folder | busybox sed '/ \.\.$/d;s/^total .*/total/'
echo '--- -lRn'
$ls -lRn folder | busybox sed 's/^total .*/total/'
echo '--- -F -p --color'
$ls -F
$ls -p
$ls --color=always
echo '--- sorted by size, by time, by kind'
$ls -lSr --time-style=full-iso small large program empty
$ls -1t folder small
$ls -X
echo '--- quoting, columns, lengths'
$ls -Q folder
$ls -b folder
$ls -C -w 40
$ls -x -w 30
$ls -m
$ls -lh large
$ls -log small
$ls -L link
$ls -ld link folder
$ls -1A folder
$ls -d */
echo '--- the same file twice'
set -- $($ls -i small hard)
[ "$1" = "$3" ] && echo 'one inode'
echo '--- errors'
$ls -l nowhere
echo "status $?"
$ls nowhere small
echo "status $?"
$ls --no-such-option 2>/dev/null
echo "status $?"
echo '--- devices and links of /proc'
$ls -l /dev/null /dev/zero | busybox sed 's/ [A-Z][a-z][a-z] .* / /'
$ls -l /proc/self/exe | busybox sed 's/.* \//\//'
$ls -L /proc/self/fd/0 >/dev/null && echo 'standard input is there'
cd /
busybox rm -rf $work
