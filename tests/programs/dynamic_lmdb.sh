#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The distribution's lmdb-utils: 10,000 keys into a database that is a mapped file, out again, and a copy.
export PATH=/usr/bin:/usr/sbin:/bin
work=/tmp/lmdb.work
rm -rf $work
mkdir -p $work && cd $work || exit 1

# bytes: each as two hex digits.
awk 'BEGIN {
	for (c = 32; c < 127; c++) chars = chars sprintf("%c", c);
	print "VERSION=3\nformat=bytevalue\ntype=btree\nmapsize=67108864\nmaxreaders=126\nHEADER=END";
	for (i = 0; i < 10000; i++) {
		key = sprintf("key %05d", (i * 7919) % 10000); value = sprintf("value %d of %s", i * i % 10007, key);
		printf " %s\n %s\n", hex(key), hex(value);
	}
	print "DATA=END";
}
function hex(s,   i, out) {
	for (i = 1; i <= length(s); i++) out = out sprintf("%02x", index(chars, substr(s, i, 1)) + 31);
	return out;
}
' >in.txt
wc -l <in.txt
mkdir db copy compact
mdb_load -f in.txt db || exit 1
ls db
mdb_stat db
mdb_stat -e db | grep -v 'Map address'
mdb_stat -f db | tail -n 3
mdb_dump db >out.txt
wc -l <out.txt
sed -n '/HEADER=END/,$p' out.txt | sha256sum
mdb_dump -p db | awk '/HEADER=END/ { n = 7 } n-- > 0'
echo '--- copies'
mdb_copy db copy
mdb_copy -c db compact
for d in copy compact; do
	mdb_dump $d | cmp - out.txt && echo "$d is the same"
	mdb_stat $d | tail -n 1
done
echo '--- loaded again, over what is there'
mdb_load -f out.txt db 2>/dev/null && mdb_stat db | tail -n 1
mdb_load -N -f out.txt db 2>/dev/null
echo "without overwriting: $?"
echo '--- two databases in one environment, and text'
mkdir more
printf 'VERSION=3\nformat=print\ntype=btree\nmapsize=1048576\ndatabase=%s\nHEADER=END\n k1\n v1\n k2\n v2\nDATA=END\n' one |
	mdb_load more
printf 'VERSION=3\nformat=print\ntype=btree\ndatabase=%s\nHEADER=END\n k3\n v3\nDATA=END\n' two |
	mdb_load -s two more
mdb_dump -l more
mdb_dump -a -p more | grep -v '^mapsize\|^maxreaders'
echo '--- at once'
mdb_load -f in.txt db &
mdb_dump db | sed -n '/HEADER=END/,$p' | sha256sum
wait
mdb_stat -r db
mdb_dump nowhere 2>&1
echo "status $?"
cd / && rm -rf $work
