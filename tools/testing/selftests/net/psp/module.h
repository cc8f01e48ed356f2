/* SPDX-License-Identifier: GPL-2.0 */
/* Loading and unloading the modules, and what they leave behind */
#ifndef MODULE_H
#define MODULE_H

#include "psp_lib.h"

/*
 * "psp", "psp_ref" and "psp_sample". Files are named by PSP_KO and PSP_REF_KO
 * in the environment; without those, the installed ones are loaded.
 */
int module_load(const char *name);
int module_unload(const char *name);	/* -EWOULDBLOCK: in use */

/* The same, waiting up to @timeout_ms for the last user to go */
int module_unload_wait(const char *name, int timeout_ms);

/* Both in the right order; what is loaded already stays */
int module_load_all(void);

bool module_is_loaded(const char *name);

/*
 * What can be seen of the module psp now that it is gone: the first trace
 * found, or "".
 */
const char *module_trace(void);

/* Objects in a kernel cache, those kept for later not counted; or -errno */
int64_t module_slab_objects(const char *cache);

#endif /* MODULE_H */
