/* SPDX-License-Identifier: MIT */
/* /proc/pid/mounts and mountinfo: proc(5), fstab(5). */
#include "kernel/abi/mount.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"

/* What would end a field is shown by its number. */
static void show_escaped(struct seq_text *seq, const char *text)
{
	for (; *text; text++) {
		if (strchr(" \t\n\\#", *text))
			seq_printf(seq, "\\%03o", (unsigned int)(unsigned char)*text);
		else
			seq_write(seq, text, 1);
	}
}

static void show_source(struct seq_text *seq, const struct super_block *sb)
{
	show_escaped(seq, sb->s_source ? sb->s_source : sb->s_type);
}

static void show_flags(struct seq_text *seq, const struct super_block *sb)
{
	seq_printf(seq, "%s%s%s%s%s%s%s%s", sb->s_rdonly ? "ro" : "rw",
		   sb->s_nosuid ? ",nosuid" : "", sb->s_nodev ? ",nodev" : "",
		   sb->s_noexec ? ",noexec" : "", sb->s_flags & MS_NOATIME ? ",noatime" : "",
		   sb->s_flags & MS_NODIRATIME ? ",nodiratime" : "",
		   sb->s_flags & MS_RELATIME ? ",relatime" : "",
		   sb->s_flags & MS_NOSYMFOLLOW ? ",nosymfollow" : "");
}

/* What the file system has of its own. Those of the kernel's making are as usual. */
static void show_options(struct seq_text *seq, const struct super_block *sb)
{
	if (sb->s_source && sb->s_op && sb->s_op->show_options)
		sb->s_op->show_options(sb, seq);
}

static int show_one_mount(const struct super_block *sb, const char *path, void *arg)
{
	struct seq_text *seq = arg;

	show_source(seq, sb);
	seq_printf(seq, " ");
	show_escaped(seq, path);
	seq_printf(seq, " %s ", sb->s_type);
	show_flags(seq, sb);
	show_options(seq, sb);
	seq_printf(seq, " 0 0\n");
	return 0;
}

/* Of what the process can reach, as it is called there. */
static int show_reachable(const struct proc_file *pf, struct seq_text *seq,
			  int (*show_one)(const struct super_block *sb, const char *path,
					  void *seq))
{
	struct fs_context *fs = proc_tasks->get_fs(pf->pid);
	struct dentry *root;
	int err;

	if (!fs)
		return -EINVAL;
	root = fs_get_root(fs);
	fs_context_put(fs);
	err = for_each_mount(root, show_one, seq);
	dput(root);
	return err;
}

int proc_show_mounts(struct proc_file *pf, struct seq_text *seq)
{
	return show_reachable(pf, seq, show_one_mount);
}

static int show_one_info(const struct super_block *sb, const char *path, void *arg)
{
	const struct dentry *where = sb->s_covered;
	struct seq_text *seq = arg;

	seq_printf(seq, "%d %d 0:%u / ", sb->s_id, where ? where->d_sb->s_id : 0, sb->s_dev);
	show_escaped(seq, path);
	seq_printf(seq, " ");
	show_flags(seq, sb);
	seq_printf(seq, " - %s ", sb->s_type);
	show_source(seq, sb);
	seq_printf(seq, sb->s_rdonly ? " ro" : " rw");
	show_options(seq, sb);
	seq_printf(seq, "\n");
	return 0;
}

int proc_show_mountinfo(struct proc_file *pf, struct seq_text *seq)
{
	return show_reachable(pf, seq, show_one_info);
}
