/* SPDX-License-Identifier: MIT */
/* /proc/pid/oom_score_adj, and its older form oom_adj: Linux's values. */
#ifndef ABI_OOM_H
#define ABI_OOM_H

#define OOM_SCORE_ADJ_MIN (-1000) /* never chosen */
#define OOM_SCORE_ADJ_MAX 1000

#define OOM_DISABLE    (-17) /* is OOM_SCORE_ADJ_MIN */
#define OOM_ADJUST_MIN (-16)
#define OOM_ADJUST_MAX 15 /* is OOM_SCORE_ADJ_MAX */

#endif
