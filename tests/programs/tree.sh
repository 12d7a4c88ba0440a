# SPDX-License-Identifier: MIT
#
# A tree of some hundred files, and what is done with trees: find, sort, tar, gzip, sums, grep, sed,
# awk, diff, cp, du. The same on any kernel that does what Linux does, with busybox's tools.
set -e

title() { echo "--- $*"; }

base=/tmp/tree.$$
rm -rf "$base"
mkdir -p "$base/here"
cd "$base/here"
umask 022

title making
i=0
for top in alpha beta gamma delta; do
	for sub in 1 2 3 4 5; do
		mkdir -p $top/sub$sub/deep/er
		for name in readme.txt code.c data.bin 'with space.txt' deep/notes.txt deep/er/last.c; do
			i=$((i + 1))
			echo "file $i in $top, part $sub: $name" >"$top/sub$sub/$name"
		done
		seq $((i * 10)) $((i * 10 + 50 * sub)) >>$top/sub$sub/code.c
		ln -s ../readme.txt $top/sub$sub/deep/up
	done
	seq 1 5000 | awk -v top=$top '{ print top, $1, $1 * $1 % 977 }' >$top/table
	dd if=$top/table bs=777 count=20 of=$top/block 2>/dev/null
	ln $top/table $top/hard-link
	: >$top/empty
done
mkdir empty-folder
chmod 600 alpha/table
chmod 755 beta/sub1/code.c
echo "$i and more"

title finding
find . | wc -l
find . -type f | wc -l
find . -type d | sort | tail -n 5
find . -type l | sort | head -n 3
find . -name '*.c' | sort | awk 'NR % 7 == 1'
find . -name '* *' | wc -l
find . -empty | sort
find . -perm 600 -o -perm 755 -type f | sort
find . -size +20k | sort
find . -links 2 -type f | sort | head -n 4
find . -path '*deep*' -name '*.txt' | wc -l
find alpha -depth | head -n 2 | wc -l
find . -name last.c -exec cat {} + | sort | head -n 3
find . -name readme.txt -exec sh -c 'echo "$(wc -c <"$1") $1"' x {} \; | sort | head -n 3
find . -maxdepth 1 | sort | tr '\n' ' ' && echo
find . -type f -print0 | sort -z | xargs -0 cat | sha256sum
find . -newer alpha/sub1/readme.txt -name none

title sorting
cat */table | sort -k3,3n -k1,1 -k2,2n | sed -n '1p;5000p;20000p'
cat */table | sort -r | head -n 2
cat */table | awk '{ print $3 }' | sort -n | uniq -c | sort -k1,1nr -k2,2n | head -n 3
sort -u */table | wc -l
sort -t' ' -k2 -n alpha/table | tail -n 1
cut -d' ' -f1 */table | uniq -c

title archives
tar cf ../tar .
mkdir ../out
tar xf ../tar -C ../out
diff -r . ../out && echo 'the same from tar'
tar tf ../tar | sort | awk 'NR % 50 == 1'
(cd ../out && find . -type f -perm 600 | sort && stat -c '%a %h %n' beta/sub1/code.c alpha/table)
tar cf - alpha | gzip -c | gunzip -c | tar tf - | wc -l
tar czf ../tgz beta gamma && tar tzf ../tgz | wc -l
cp alpha/table zipped && gzip zipped && ls zipped* && gzip -t zipped.gz && zcat zipped.gz | cmp - alpha/table &&
	gunzip zipped.gz && cmp zipped alpha/table && rm zipped && echo 'the same from gzip'
bzip2 -c beta/table | bunzip2 -c | cmp - beta/table && echo 'the same from bzip2'
echo damaged | gunzip -c 2>/dev/null || echo 'not from rubbish'
find alpha | sort | cpio -o -H newc 2>/dev/null | cpio -t 2>/dev/null | wc -l
rm -r ../tar ../tgz

title sums
find . -type f | sort | tr '\n' '\0' | xargs -0 sha256sum >../sums
sha256sum -c ../sums | grep -c OK
echo changed >>gamma/sub3/code.c
sha256sum -c ../sums 2>/dev/null | grep -v OK || :
(cd ../out && sha256sum -c ../sums | grep -vc OK) || echo 'none has changed there'
md5sum beta/block delta/table
cat */table | sha1sum
sha512sum delta/block | cut -c 1-32
cksum </dev/null 2>/dev/null || crc32 delta/block

title text
grep -r 'part 3' . | wc -l
grep -rl 'file 17 ' .
grep -rc 500 alpha/table beta/table
grep -n '^gamma 4999' gamma/table
grep -v 1 alpha/table | grep -Ev '[3-9]' | head -n 3
grep -o 'sub[0-9]' ../sums | sort | uniq -c
sed -n '/ 100 /,/ 102 /p' delta/table
sed 's/alpha \([0-9]*\) \([0-9]*\)/\2:\1/;3q' alpha/table
sed -i 's/file/FILE/' beta/sub2/*.txt && cat beta/sub2/*.txt
awk '{ n[$3]++ } END { for (k in n) if (n[k] > 10) c++; print c, length(n) }' alpha/table
awk -F/ '{ print NF, $NF }' ../sums | sort | uniq -c | sort -nr | head -n 3
awk 'BEGIN { printf "%.6f %.3e %d\n", 1 / 3, 1000000 / 7, 65536 * 32768; print substr("tessera", 3, 4), toupper("up") }'
tr -cd 0-9 <gamma/table | fold -w 60 | tail -n 2
wc alpha/table beta/block | tr -s ' '
head -c 100 gamma/table | tail -c 20
paste -d: alpha/empty gamma/sub1/readme.txt | cat -A
od -c delta/block | sed -n '3p'
hexdump -C delta/block | tail -n 1
nl -b a gamma/sub1/readme.txt
split -l 1000 beta/table piece. 2>/dev/null && ls piece.* | wc -l && cat piece.* | cmp - beta/table && rm piece.*
tac alpha/table | head -n 1

title comparing
diff -u alpha/sub1/readme.txt alpha/sub2/readme.txt | sed 's/\t.*//' || :
diff -r . ../out | sed 's/\t.*//' | head -n 20 || :
diff -rq alpha ../out/alpha && echo 'alpha is the same'
cmp alpha/table beta/table || :
diff alpha/table beta/table | wc -l || :

title copying
cp -a . ../copy && diff -r . ../copy && echo 'the copy is the same'
stat -c '%a %s %n' ../copy/alpha/table ../copy/beta/sub1/code.c
readlink ../copy/alpha/sub1/deep/up
du -k alpha/table delta/block alpha/empty
du -s . | awk '{ print ($1 > 500 && $1 < 3000) ? "some hundred KiB" : $1 }'
mv ../copy ../moved && rm -rf ../moved/alpha && ls ../moved
cp -r alpha/sub1 alpha/sub9 && mv alpha/sub9 gamma/ && find gamma/sub9 | wc -l
find . -name '*.txt' -exec rm {} + && find . -type f | wc -l
find . -type d -empty | wc -l && find . -depth -type d -name er -exec rm -r {} \; && find . -type d | wc -l
ls -lR delta | sed 's/  */ /g' | cut -d' ' -f 1,5,9- | head -n 20
ls -a beta | tr '\n' ' ' && ls -1 -r gamma | head -n 2
touch -d '2001-02-03 04:05:06' beta/old && ls -l --full-time beta/old | tr -s ' ' | cut -d' ' -f 6-7
find . -name old -mtime +1000

cd /
rm -rf "$base"
title end
