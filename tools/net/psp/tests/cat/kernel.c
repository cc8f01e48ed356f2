// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel with PSP for pspcat, in the place of device.c and of the library's
 * rekey_kernel.c. It makes keys and takes them, and encrypts nothing: what goes
 * over the connection is plain, and a test can get at it.
 *
 * FAKE_PSP: "none", or "refuse" to refuse the first rx key.
 * FAKE_BUSY: so many times the first tx-assoc finds plain data.
 * FAKE_TX: "refuse" or "later", what becomes of later ones: they fail for good,
 *	or at the first try.
 * FAKE_ROTATIONS: a file that is one byte longer after each rotation.
 * FAKE_KEY_BYTES: so many bytes a key of TLS is good for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../cat/pspcat.h"
#include "../../lib/rekey.h"

#define FAKE_DEV	7

struct fake {
	int notify;
	unsigned int tries;	/* of tx-assoc */
	uint32_t late;	/* the newest key that was not taken at once */
	uint32_t keys;
	uint64_t epoch;	/* of the newest key */
};

static bool fake_has(const char *name, const char *what)
{
	const char *val = getenv(name);

	return val && !strcmp(val, what);
}

static bool fake_is(const char *what)
{
	return fake_has("FAKE_PSP", what);
}

uint32_t device_find(int fd, uint32_t versions, struct side *side)
{
	const char *bytes = getenv("FAKE_KEY_BYTES");

	if (bytes)
		link_key_bytes = strtoull(bytes, NULL, 10);
	side->can = !fake_is("none");
	side->versions = side->can ? versions : 0;
	if (!side->can)
		snprintf(side->why, sizeof(side->why), "none here \033[1m");
	return side->can ? FAKE_DEV : 0;
}

static uint64_t fake_epoch(void)
{
	const char *path = getenv("FAKE_ROTATIONS");
	struct stat st;

	return path && !stat(path, &st) ? st.st_size : 0;
}

static int fake_rx_assoc(void *ctx, int fd, uint32_t dev_id, uint32_t version,
			 struct psp_key *key)
{
	struct fake *fake = ctx;

	if (fake_is("refuse"))
		return -ENOSPC;
	if (fake->keys && fake->epoch == fake_epoch())
		return -EBUSY;
	fake->epoch = fake_epoch();
	memset(key, 0, sizeof(*key));
	key->spi = ++fake->keys;
	key->len = psp_version_key_len(version);
	memset(key->key, key->spi, key->len);
	return 0;
}

/* What is told must be what the other one's rx_assoc has made */
static int fake_tx_assoc(void *ctx, int fd, uint32_t dev_id, uint32_t version,
			 const struct psp_key *key)
{
	const char *busy = getenv("FAKE_BUSY");
	struct fake *fake = ctx;
	uint32_t i;

	if (busy && fake->tries++ < strtoul(busy, NULL, 10))
		return -EBUSY;
	if (key->spi > 1 && fake_has("FAKE_TX", "refuse"))
		return -EOPNOTSUPP;
	if (key->spi > 1 && key->spi > fake->late &&
	    fake_has("FAKE_TX", "later")) {
		fake->late = key->spi;
		return -ENOSPC;
	}
	for (i = 0; i < key->len; i++)
		if (key->key[i] != (uint8_t)key->spi)
			return -EBADMSG;
	return key->len == psp_version_key_len(version) ? 0 : -EINVAL;
}

static int fake_rotations(void *ctx, uint32_t dev_id, uint64_t *num)
{
	*num = fake_epoch();
	return dev_id == FAKE_DEV ? 0 : -ENODEV;
}

static int fake_ntf(void *ctx, struct rekey_ntf *ntf)
{
	struct fake *fake = ctx;
	uint64_t buf[512];	/* aligned for what is in it */

	if (read(fake->notify, buf, sizeof(buf)) <= 0)
		return 0;
	ntf->type = REKEY_NTF_ROTATED;
	ntf->dev_id = FAKE_DEV;
	return 1;
}

static int fake_fd(void *ctx)
{
	const struct fake *fake = ctx;

	return fake->notify;
}

static uint64_t fake_now(void *ctx)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

/* The window is over at once */
static uint32_t fake_random(void *ctx, uint32_t below)
{
	return 0;
}

static void fake_free(void *ctx)
{
	struct fake *fake = ctx;

	close(fake->notify);
	free(fake);
}

static const struct rekey_ops fake_ops = {
	.rx_assoc = fake_rx_assoc,
	.tx_assoc = fake_tx_assoc,
	.rotations = fake_rotations,
	.ntf = fake_ntf,
	.fd = fake_fd,
	.now = fake_now,
	.random = fake_random,
	.free = fake_free,
};

int psp_rekey_pool_open(struct psp_rekey_pool **pool,
			const struct psp_rekey_pool_config *config)
{
	const char *path = getenv("FAKE_ROTATIONS");
	struct fake *fake = calloc(1, sizeof(*fake));
	int err;

	if (!fake)
		return -ENOMEM;
	fake->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (path)
		inotify_add_watch(fake->notify, path, IN_MODIFY);
	err = rekey_pool_new(pool, config, &fake_ops, fake);
	if (err)
		fake_free(fake);
	return err;
}
