// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Versions of the protocol */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define HDR0	"hdr0-"

static const struct {
	const char *name;
	unsigned int key_len;
} versions[PSP_VERSIONS_NUM] = {
	[PSP_AES_GCM_128]	= { HDR0 "aes-gcm-128", 16 },
	[PSP_AES_GCM_256]	= { HDR0 "aes-gcm-256", 32 },
	[PSP_AES_GMAC_128]	= { HDR0 "aes-gmac-128", 16 },
	[PSP_AES_GMAC_256]	= { HDR0 "aes-gmac-256", 32 },
};

const char *psp_version_name(unsigned int version)
{
	return version < PSP_VERSIONS_NUM ? versions[version].name : NULL;
}

int psp_version_parse(const char *name)
{
	const char *full;
	int i;

	for (i = 0; i < PSP_VERSIONS_NUM; i++) {
		full = versions[i].name;
		if (!strcmp(name, full) || !strcmp(name, full + strlen(HDR0)))
			return i;
	}
	return err_set(-EINVAL, "No such version of PSP");
}

unsigned int psp_version_key_len(unsigned int version)
{
	return version < PSP_VERSIONS_NUM ? versions[version].key_len : 0;
}
