# SPDX-License-Identifier: MIT
#
# What people write in shells, for busybox's sh and for bash: both print the same, on any kernel that
# does what Linux does. No process numbers, no times; nothing depends on who is scheduled first.

title() { echo "--- $*"; }
say() { printf '%s\n' "$*"; }
status() { "$@"; say "status $?: $1"; }

base=/tmp/shell.$$
rm -rf "$base"
mkdir "$base" || exit 1
cd "$base" || exit 1
umask 022

title words
a=one b='two words' c= n=0
say "$a" "$b" "$c" "${unset-default}" "${c:-empty}" "${c-not}" "${a:+set}" "${unset+set}"
say "${#a} ${#b} ${#c}"
path=/usr/local/lib/libshell.so.1
say "${path##*/} ${path%/*} ${path#*/} ${path%%.*} ${path%.*}"
: "${assigned:=value}" && say "$assigned"
say "$((1 + 2 * 3)) $(((1 + 2) * 3)) $((17 / 5)) $((17 % 5)) $((-17 / 5)) $((1 << 20)) $((0xff & ~0x0f))"
say "$((5 > 3)) $((5 < 3)) $((5 == 5 && 3 != 3)) $((n ? 10 : 20)) $((n = 7)) $((n += 3)) $n"
set -- first 'second third' '' last
say "$# [$1] [$2] [$3] [$4]"
for word in "$@"; do printf '<%s>' "$word"; done && echo
for word in $*; do printf '<%s>' "$word"; done && echo
shift 2 && say "$# [$1] [$2]"
IFS=: && set -- $(echo a:b::d) && say "$# [$1] [$2] [$3] [$4]"
IFS=' 	
'
say 'single $quotes `stay`' "double \$quotes \`stay\` $(echo 'nested "quotes"')"
say tilde: ~ \~ '~'
printf '%s|%5s|%-5s|%05d|%x|%o|%c|%%|%b\n' str right left 42 255 8 char 'tab\there'
printf '%d %d\n' 1 2 3 4
say "$(printf 'trailing newlines go\n\n\n')|"

title control
i=0
while [ $i -lt 10 ]; do
	i=$((i + 1))
	[ $i = 3 ] && continue
	[ $i = 7 ] && break
	printf '%d ' $i
done
echo "left at $i"
until [ $i -le 0 ]; do i=$((i - 3)); done && say $i
for outer in 1 2 3; do
	for inner in a b c; do
		[ $outer$inner = 2b ] && continue 2
		[ $outer$inner = 3b ] && break 2
		printf '%s ' $outer$inner
	done
done
echo
classify() {
	case $1 in
	[0-9]) say "$1: a digit" ;;
	[0-9]*[!0-9]*) say "$1: begins with a digit" ;;
	*.tar.gz | *.tgz) say "$1: an archive" ;;
	\*) say "$1: a star" ;;
	?) say "$1: one character" ;;
	'') say "nothing" ;;
	*) say "$1: something" ;;
	esac
}
for word in 5 5a x.tar.gz y.tgz '*' z '' other; do classify "$word"; done
if false; then say never; elif ! false; then say elif; else say never; fi
true && false || say 'and, or'
{ say grouped; false; } || say "group: $?"
(exit 7) || say "subshell: $?"
! true || say 'not'

title functions
factorial() {
	if [ "$1" -le 1 ]; then echo 1; else echo $(($1 * $(factorial $(($1 - 1))))); fi
}
factorial 10
scope() {
	local a=inner d=new
	say "$a $b $d"
	a=changed
	return 5
}
scope
say "$? $a ${d-unset}"
fib() {
	local n=$1 x y
	[ $n -lt 2 ] && echo $n && return
	x=$(fib $((n - 1))) y=$(fib $((n - 2)))
	echo $((x + y))
}
fib 9
options() {
	local opt OPTIND=1
	while getopts ab:c opt "$@"; do
		case $opt in
		b) printf 'b=%s ' "$OPTARG" ;;
		\?) printf 'bad ' ;;
		*) printf '%s ' $opt ;;
		esac
	done 2>/dev/null
	shift $((OPTIND - 1))
	say "rest: $*"
}
options -a -b value -c more
options -acb value -- -a
options -x -bvalue
eval 'say "eval sees $a"' && command say x 2>/dev/null || say "command passes functions over: $?"

title redirections
say first >file && say second >>file && cat file
say to-stderr >&2 2>/dev/null
{ say out; say err >&2; } >both 2>&1 && cat both
{ say out; say err >&2; } 2>err >out && cat out err
cat <file | cat - both | wc -l
exec 3>three 4<file
say 'through 3' >&3
read -r line <&4 && say "from 4: $line"
read -r line <&4 && say "from 4: $line"
read -r line <&4 || say "from 4: the end"
exec 3>&- 4<&-
cat three
{ say closed >&3; } 2>/dev/null || say '3 is closed'
exec 5<>rw
say 0123456789 >&5
exec 5<>rw
read -r line <&5 && say "read: $line"
say more >&5
exec 5>&-
cat rw
say swap >&2 3>&1 1>&2 2>&3 | cat
(say stdout; say stderr >&2) 2>&1 >/dev/null | sed 's/^/piped: /'
set -C
{ say no >file; } 2>/dev/null || say 'noclobber refuses'
say yes >|file && cat file
set +C
: >empty && [ ! -s empty ] && say 'empty is empty'
{ cat nothere; } 2>/dev/null || say "cat: $?"
{ cat <nothere; } 2>/dev/null || say 'no input, no command'
say ${file+unset}none >"name with  spaces" && ls name*

title here-documents
cat <<END
plain $a, $((6 * 7)), $(echo substituted), \$escaped
	tab stays
END
cat <<'END'
quoted $a, $((6 * 7)), $(echo substituted), \$escaped
END
cat <<-END
	tabs go
		all of them
	END
cat <<ONE - <<TWO
the first is not read
ONE
the second is
TWO
while read -r key value; do say "$key=$value"; done <<END
name   tessera the kernel
back\\slash   \\n
END
i=0 && while [ $i -lt 2000 ]; do i=$((i + 1)); done
big=$(i=0; while [ $i -lt 3000 ]; do echo "line number $i of a long document"; i=$((i + 1)); done)
wc -lc <<END
$big
END

title pipelines
seq 1 1000 | grep 7 | sed 's/7/seven/' | sort -r | head -n 3
say "a b c" | { read -r x y z; say "$z $y $x"; }
false | true && say 'the last decides'
true | false || say "and only it: $?"
seq 1 100000 | tail -n 1
yes | head -n 3 | tr y n
seq 20 | while read -r i; do [ $((i % 5)) = 0 ] && printf '%d ' $i; done && echo
say x | say y | say z
seq 1 9 | sed p | uniq -c | awk '{ s += $1 * $2 } END { print s }'
printf 'c\na\nb\n' | sort | tr '\n' ' ' | sed 's/ $/\n/'
seq 5 | tee copy | wc -l && cat copy | tr '\n' +
echo
seq 1 5000 | xargs echo | wc -w
seq 1 10 | xargs -n 3 echo
printf 'a b\nc\n' | xargs -I{} echo "[{}]"
printf 'x\0y z\0' | xargs -0 -n 1 echo
mkdir many && (cd many && seq 1 50 | xargs touch && ls | wc -l)

title 'files and globs'
mkdir -p d/e/f && : >d/1.c && : >d/2.c && : >d/3.h && : >d/.hidden && : >d/e/x.c
echo d/*.c d/[!0-1]* d/?.h d/.h* d/*/*.c d/nomatch*
set -f && echo d/*.c && set +f
ln -s 1.c d/link && ln -s nowhere d/dangling && ln d/3.h d/hard
for f in d/1.c d/link d/dangling d/e d/none; do
	for t in e f d L r w x s; do [ -$t $f ] && printf '%s' $t || printf '-'; done
	say " $f"
done
[ d/3.h -ef d/hard ] && say same; [ d/1.c -ef d/2.c ] || say different
readlink d/link d/dangling
chmod 640 d/1.c && chmod u+x,go-r d/2.c && chmod 1777 d/e && stat -c '%a %n' d/1.c d/2.c d/e
umask 027 && : >masked && mkdir maskeddir && stat -c '%a %n' masked maskeddir && umask && umask 022
cp -r d copied && ls -A copied && rm -r copied && [ ! -e copied ] && say removed
mv d/1.c d/e/moved.c && ls d/e
rmdir d 2>/dev/null || say 'not empty'
cd d/e && pwd | sed "s,$base,BASE," && cd ../.. && cd - >/dev/null && pwd | sed "s,$base,BASE," && cd "$base"
(cd d && say "${PWD#$base}" && say "${OLDPWD#$base}.") && say "${PWD#$base}."
cd nowhere 2>/dev/null || say 'cd: no'
[ -d / ] && [ ! -d /etc/passwd ] && [ -c /dev/null ] && [ -t 0 ] || say "tests: $?"
touch -d '2001-02-03 04:05:06' old && [ file -nt old ] && [ old -ot file ] && say older
[ abc = abc ] && [ abc != abd ] && [ -n abc ] && [ -z '' ] && [ 3 -lt 10 ] && [ ! 3 -gt 10 ] && say compared
find d | sort | tr '\n' ' '; echo
mkfifo fifo && [ -p fifo ] && say fifo
(say 'through the fifo'; say twice) >fifo &
cat fifo && wait

title background
(exit 3) & wait $!; say "wait: $?"
false & p1=$!
(exit 42) & p2=$!
wait $p2; say "second: $?"; wait $p1; say "first: $?"
wait; say "all: $?"
wait $p1 2>/dev/null; [ $? = 127 ] || [ $? = 1 ] || say 'waited for it before'
sleep 100 & p=$!
kill -0 $p && say alive
kill $p && wait $p 2>/dev/null; say "TERM: $?"
sleep 100 & kill -9 $! && wait $! 2>/dev/null; say "KILL: $?"
sleep 100 & kill -USR1 $! && wait $! 2>/dev/null; say "USR1: $?"
sleep 100 &
kill %1 && wait %1 2>/dev/null; say "job 1: $?"
kill -0 $! 2>/dev/null || say gone
for i in 1 2 3 4 5 6 7 8; do (say $i >part.$i) & done
wait && cat part.* | tr '\n' ' ' && echo
(sleep 0.2; say 'slow one') | cat & (say 'waits for it'; wait) >/dev/null; wait
(trap '' TERM; kill -TERM $(sh -c 'echo $PPID'); say 'ignores TERM')
{ sh -c 'kill -SEGV $$'; } 2>/dev/null; say "SEGV: $?"
sh -c 'kill -STOP $$; exit 9' & p=$!
until grep -q '^State:.T' /proc/$p/status; do :; done
kill -CONT $p && wait $p; say "stopped, continued: $?"
sh -c 'exit 300'; say "300: $?"
nosuchcommand 2>/dev/null; say "not found: $?"
./file 2>/dev/null; say "not executable: $?"
: >emptyscript && chmod +x emptyscript && ./emptyscript; say "empty: $?"
printf '#!/bin/sh\nsay() { echo "script: $*"; }\nsay "$0" "$@"\n' >script && chmod +x script && ./script 1 '2 3'
printf '#!/bin/cat\nshows itself\n' >script && ./script
printf 'echo "without a first line: $1"\n' >script && ./script arg

title traps
trap 'say "USR1 came"' USR1
kill -USR1 $$
say after
trap 'say "INT came"' INT
kill -INT $$
trap - INT
(trap 'say "in the subshell: EXIT $?"' EXIT; exit 4); say "$?"
(trap 'say TERM came; exit 11' TERM; kill -TERM $(sh -c 'echo $PPID'); say never); say "$?"
(trap 'say loop ends; exit' USR2
	(until [ -s looper ]; do :; done; kill -USR2 $(cat looper)) &
	sh -c 'echo $PPID' >looper; while :; do :; done)
wait
# The child makes sure that its parent waits, and then that the trap has run.
(trap 'say "wait was interrupted"; : >interrupted' USR1
	sh -c 'echo $PPID' >waiter
	(until grep -q '^State:.S' /proc/$(cat waiter)/status; do :; done
		kill -USR1 $(cat waiter); until [ -e interrupted ]; do :; done; exit 6) & p=$!
	wait $p; [ $? -gt 128 ] && say 'by a signal'
	wait $p; say "and again: $?")
trap '' USR1 && sh -c 'kill -USR1 $$; echo "ignored by children too"' && trap - USR1
sh -c 'trap "echo EXIT" EXIT; trap "echo HUP; exit 3" HUP; kill -HUP $$; echo never'; say "$?"
sh -c 'trap "echo on exit" EXIT; exec true'; say "exec drops it: $?"
(set -e; false; say never); say "set -e: $?"
(set -e; false || true; ! true; if false; then :; fi; say 'goes on'); say "$?"
(set -u; : $nothere; say never) 2>/dev/null || say 'set -u'
sh -c 'set -- a b; shift 5; echo "shift: $?"' 2>/dev/null || say 'shift too far'

title 'more of everything'
exec 6<file && sh -c 'cat <&6' && exec 6<&-
x=outside && (x=inside; say $x) && say $x
x=env sh -c 'echo "$x ${y-none}"' && y=exported && export y && sh -c 'echo "$x ${y-none}"'
env -i /bin/sh -c 'echo "[${y-none}]"' && (unset y; say "${y-unset}")
readonly const=1 && (const=2) 2>/dev/null || say 'readonly stays'
(ulimit -n 20 && ulimit -n) && (ulimit -S -c 0 && ulimit -S -c)
{ (ulimit -f 2; head -c 100000 /dev/zero >limited); say "XFSZ: $?"; } 2>/dev/null
[ $(wc -c <limited) -le 2048 ] && say 'cut off'
alias ll='ls -l' && unalias ll && say alias
type cd >/dev/null && command -v cat | grep -c cat
set -- $(echo 3 1 2 | tr ' ' '\n' | sort) && say "$*"
say "$(say "$(say "$(say deep)")")" `echo backquotes \`echo nested\``
f() { cat; } && say piped | f && f <<END
document for a function
END
{ sleep 0.1; say 'after a nap'; } & wait $! && say done
dd if=/dev/zero bs=1000 count=100 2>/dev/null | tr '\0' x | head -c 99999 | md5sum
od -An -tx1 -N 4 /dev/zero && head -c 0 /dev/null && tr -d x </dev/null | wc -c
expr 3 \* 4 + 1 && expr abc : 'a\(.*\)' && expr 1 \> 2
seq 3 -1 1 | paste -s -d , - && seq -w 8 11 | tr '\n' ' ' && echo
basename /a/b.c .c && dirname /a/b.c && date -u -d @1000000000 '+%F %T'
awk 'BEGIN { while (("seq 3" | getline x) > 0) s = s x; print s; print "to sort\nby pipe" | "sort"; close("sort") }'
say one:two:three | cut -d: -f2,3 && say lower | tr a-z A-Z && say rev | rev
id -u | grep -c . && [ "$(id -un)" ] && pwd -P | sed "s,$base,BASE,"
timeout 0.2 sleep 100; say "timeout: $?"
echo 'say "sourced: $1"; return 3' >lib && set -- argument && . ./lib; say "$?"

cd / && rm -rf "$base" && [ ! -e "$base" ] && title end
exec sh -c 'echo "the last word"; exit 17'
