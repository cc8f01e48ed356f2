// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Requests: what is decoded, what is refused, what becomes of keys */
#include <errno.h>
#include <pthread.h>

#include "check.h"
#include "fake.h"
#include "libpsp.h"

static struct psp_ctx *open_it(void)
{
	struct psp_ctx *ctx;

	CHECK_OR_DIE(!psp_open(&ctx));
	return ctx;
}

static void no_psp(void)
{
	struct psp_ctx *ctx = (void *)1;

	fake_reset();
	fake.absent = true;
	CHECK(psp_open(&ctx) == -EPROTONOSUPPORT);
	CHECK(!ctx);
	CHECK(strstr(psp_strerror(-EPROTONOSUPPORT), "No PSP"));
	fake.absent = false;
	ctx = open_it();
	CHECK_STR(strerror(EPROTONOSUPPORT), psp_strerror(-EPROTONOSUPPORT));
	psp_close(ctx);
}

static void mainline(void)
{
	struct psp_rekey_stats *rekey;
	struct psp_assoc *assocs;
	struct psp_stats *stats;
	struct psp_ctx *ctx;
	unsigned int sent;

	fake_reset();
	fake.mainline = true;
	ctx = open_it();
	sent = fake.sent;
	CHECK(psp_supports(ctx, PSP_FEATURE_DEV_ASSOC));
	CHECK(!psp_supports(ctx, PSP_FEATURE_REKEY_STATS));
	CHECK(!psp_supports(ctx, PSP_FEATURE_ASSOC_LIST));
	CHECK(!psp_supports(ctx, PSP_FEATURE_STALE_EVENTS));
	CHECK(psp_rekey_stats_get(ctx, 1, &rekey) == -EOPNOTSUPP && !rekey);
	CHECK(strstr(psp_strerror(-EOPNOTSUPP), "rekey-stats-get"));
	CHECK(psp_assoc_dump(ctx, 0, 0, &assocs) == -EOPNOTSUPP && !assocs);
	CHECK(strstr(psp_strerror(-EOPNOTSUPP), "assoc-get"));
	CHECK(fake.sent == sent);
	CHECK(!psp_stats_get(ctx, 1, &stats));
	psp_stats_free(stats);
	psp_close(ctx);
}

static void devices(void)
{
	struct psp_dev *devs, *dev;
	struct psp_ctx *ctx;

	fake_reset();
	ctx = open_it();
	CHECK_OR_DIE(!psp_dev_dump(ctx, &devs));
	CHECK(devs->id == 1 && devs->ifindex == 1 && devs->versions_cap == 15);
	CHECK(devs->versions_ena == 3 && !devs->by_association);
	CHECK_OR_DIE(devs->num_assocs == 2);
	CHECK(devs->assocs->ifindex == 66666 && devs->assocs->nsid == 3);
	CHECK(!devs->assocs->here);
	CHECK_OR_DIE(devs->assocs->next && !devs->assocs->next->next);
	CHECK(devs->assocs->next->nsid == 5 && devs->assocs->next->here);
	CHECK_OR_DIE(devs->next && !devs->next->next);
	CHECK(devs->next->id == 7 && devs->next->by_association);
	CHECK_OR_DIE(devs->next->num_assocs == 2);
	CHECK(devs->next->assocs->ifindex == 88888);
	CHECK(devs->next->assocs->nsid == -1 && devs->next->assocs->here);
	CHECK(devs->next->assocs->next->here);
	psp_dev_free(devs);

	/* 99999 is the index of a device in another namespace */
	CHECK(!psp_dev_by_ifindex(ctx, 88888, &dev) && dev->id == 7);
	psp_dev_free(dev);
	CHECK(!psp_dev_by_ifindex(ctx, 88889, &dev) && dev->id == 7);
	psp_dev_free(dev);
	CHECK(!psp_dev_by_ifindex(ctx, 77777, &dev) && dev->id == 1);
	psp_dev_free(dev);
	CHECK(psp_dev_by_ifindex(ctx, 66666, &dev) == -ENODEV && !dev);
	CHECK(psp_dev_by_ifindex(ctx, 99999, &dev) == -ENODEV && !dev);
	psp_close(ctx);
}

/* The namespace may be given an id, or none may be had: it is asked again */
static void own_nsid(void)
{
	struct psp_ctx *ctx;
	struct psp_dev *dev;

	fake_reset();
	fake.nsid = -1;
	ctx = open_it();
	CHECK(psp_dev_by_ifindex(ctx, 77777, &dev) == -ENODEV && !dev);
	CHECK_STR("Interface has no PSP device", psp_strerror(-ENODEV));
	fake.nsid = 5;
	CHECK_OR_DIE(!psp_dev_by_ifindex(ctx, 77777, &dev));
	psp_dev_free(dev);
	fake.asked_nsid = 0;
	CHECK_OR_DIE(!psp_dev_get(ctx, 1, &dev));
	CHECK(!fake.asked_nsid && dev->assocs->next->here);
	psp_dev_free(dev);
	psp_close(ctx);
}

static void counters(void)
{
	struct psp_rekey_stats *rekey;
	struct psp_stats *stats;
	struct psp_ctx *ctx;
	struct nlmsghdr *nlh;

	fake_reset();
	ctx = open_it();
	CHECK_OR_DIE(!psp_rekey_stats_get(ctx, 7, &rekey));
	CHECK(rekey->dev_id == 7 && rekey->rx_rekeys == 1000000000002);
	CHECK(rekey->num_drops == PSP_A_DROPS_MAX && rekey->drops[2] == 33);
	CHECK_STR("no-state", psp_drop_name(2));
	CHECK_STR("tx-peer", psp_drop_name(PSP_A_DROPS_MAX - 1));
	CHECK(!psp_drop_name(PSP_A_DROPS_MAX));
	psp_rekey_stats_free(rekey);

	nlh = fake_msg(FAKE_FAMILY, PSP_CMD_GET_STATS);
	mnl_attr_put_u32(nlh, PSP_A_STATS_DEV_ID, 1);
	mnl_attr_put_u64(nlh, PSP_A_STATS_TX_BYTES, 1ULL << 40);
	fake_done();
	fake_error(0);
	CHECK_OR_DIE(!psp_stats_get(ctx, 1, &stats));
	CHECK(stats->tx_bytes == 1ULL << 40 && stats->rx_bytes == PSP_UNKNOWN);
	psp_stats_free(stats);
	psp_close(ctx);
}

static void sockets(void)
{
	struct psp_assoc *assocs, *full;
	struct nlmsghdr *nlh;
	struct psp_ctx *ctx;

	fake_reset();
	ctx = open_it();
	CHECK_OR_DIE(!psp_assoc_dump(ctx, 1, 6, &assocs));
	CHECK(assocs->cookie == 5 && !assocs->family && assocs->rx);
	CHECK(!assocs->tx && !assocs->rx_prev && assocs->state == PSP_STATE_RX);
	full = assocs->next;
	CHECK_OR_DIE(full && !full->next);
	CHECK(full->family == AF_INET6 && full->local_port == 4433);
	CHECK(full->local_addr[15] == 1 && full->remote_addr[15] == 2);
	CHECK(full->rx->spi == 0x80000011 && full->rx->packets == 12);
	CHECK(full->rx_prev->spi == 0x10 && full->tx->spi == 0x22);
	CHECK(full->tx->rotations == PSP_UNKNOWN && full->tx_rekeys == 4);
	CHECK_STR("full", psp_state_name(full->state));
	psp_assoc_free(assocs);

	/* What was not told has no meaning */
	nlh = fake_msg(FAKE_FAMILY, PSP_CMD_ASSOC_GET);
	mnl_attr_put_u32(nlh, PSP_A_SOCK_DEV_ID, 1);
	mnl_attr_put_u64(nlh, PSP_A_SOCK_COOKIE, 8);
	fake_done();
	fake_end(0);
	CHECK_OR_DIE(!psp_assoc_dump(ctx, 0, 0, &assocs));
	CHECK(!psp_state_name(assocs->state));
	CHECK(!psp_version_name(assocs->version));
	psp_assoc_free(assocs);
	psp_close(ctx);
}

/* A refusal with an extended acknowledgment */
static void refuse(int err, const char *msg, int type, uint32_t val,
		   uint32_t nest)
{
	struct nlmsghdr *nlh = fake_error(err);

	if (msg)
		mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, msg);
	if (type)
		mnl_attr_put_u32(nlh, type, val);
	if (nest)
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_MISS_NEST, nest);
	fake_done();
}

/* Requests of psp_tx_assoc(): headers 20, version, fd, nest at 36, spi, key */
static void refusals(void)
{
	const struct psp_key key = { .spi = 1, .len = 16 };
	struct psp_ctx *ctx;
	bool missing;

	fake_reset();
	ctx = open_it();
	refuse(-EINVAL, "Bad SPI", NLMSGERR_ATTR_OFFS, 40, 0);
	CHECK(psp_tx_assoc(ctx, 3, 0, 0, &key) == -EINVAL);
	CHECK_STR("Bad SPI (.tx-key.spi)", psp_strerror(-EINVAL));
	CHECK_STR("Bad SPI", psp_error_msg());
	CHECK_STR(".tx-key.spi", psp_error_attr(&missing));
	CHECK(!missing);
	CHECK_STR("No such file or directory", psp_strerror(-ENOENT));
	CHECK_STR("Bad SPI (.tx-key.spi)", psp_strerror(-EINVAL));

	refuse(-EINVAL, NULL, NLMSGERR_ATTR_OFFS, 48, 0);
	CHECK(psp_tx_assoc(ctx, 3, 0, 0, &key) == -EINVAL);
	CHECK_STR("Invalid argument (.tx-key.key)", psp_strerror(-EINVAL));
	refuse(-EINVAL, NULL, NLMSGERR_ATTR_OFFS, 36, 0);
	CHECK(psp_tx_assoc(ctx, 3, 0, 0, &key) == -EINVAL);
	CHECK_STR("Invalid argument (.tx-key)", psp_strerror(-EINVAL));
	refuse(-EINVAL, "No", NLMSGERR_ATTR_MISS_TYPE, PSP_A_ASSOC_DEV_ID, 0);
	CHECK(psp_tx_assoc(ctx, 3, 0, 0, &key) == -EINVAL);
	CHECK_STR("No (missing .dev-id)", psp_strerror(-EINVAL));
	refuse(-EINVAL, NULL, NLMSGERR_ATTR_MISS_TYPE, PSP_A_KEYS_KEY, 36);
	CHECK(psp_tx_assoc(ctx, 3, 0, 0, &key) == -EINVAL);
	CHECK_STR(".tx-key.key", psp_error_attr(&missing));
	CHECK(missing);
	refuse(-EINVAL, NULL, NLMSGERR_ATTR_OFFS, 4000, 0);
	CHECK(psp_dev_set_versions(ctx, 1, 0) == -EINVAL);
	CHECK_STR("Invalid argument", psp_strerror(-EINVAL));
	psp_close(ctx);
}

static void rx_key(void)
{
	struct psp_ctx *ctx;
	struct psp_key key;
	uint32_t used = 0;

	fake_reset();
	ctx = open_it();
	CHECK(!psp_rx_assoc(ctx, 3, 0, 0, &key, &used));
	CHECK(used == 1 && key.spi == 0x80000011 && key.len == 16);
	CHECK(check_finds(key.key, 16, FAKE_KEY));
	CHECK(!check_finds(fake.recv_at, fake.recv_len, FAKE_KEY));
	psp_key_wipe(&key);
	CHECK(check_wiped(&key, sizeof(key)));
	psp_close(ctx);
}

/* An answer to rx-assoc, with or without what it needs */
static void bad_rx_answer(bool dev, unsigned int len)
{
	struct nlmsghdr *nlh = fake_msg(FAKE_FAMILY, PSP_CMD_RX_ASSOC);

	if (dev)
		mnl_attr_put_u32(nlh, PSP_A_ASSOC_DEV_ID, 1);
	fake_put_key(nlh, PSP_A_ASSOC_RX_KEY, len);
	fake_done();
}

static void rx_key_of_bad_answers(void)
{
	struct psp_ctx *ctx;
	struct psp_key key;

	fake_reset();
	ctx = open_it();
	bad_rx_answer(false, 16);
	fake_error(0);
	CHECK(psp_rx_assoc(ctx, 3, 0, 0, &key, NULL) == -EPROTO);
	CHECK(check_wiped(&key, sizeof(key)));
	CHECK(!check_finds(fake.recv_at, fake.recv_len, FAKE_KEY));
	bad_rx_answer(true, 33);
	fake_error(0);
	CHECK(psp_rx_assoc(ctx, 3, 0, 0, &key, NULL) == -EPROTO);
	CHECK(!check_finds(fake.recv_at, fake.recv_len, FAKE_KEY));

	/* The key came, and then an error: it is not the caller's */
	bad_rx_answer(true, 16);
	fake_error(-EIO);
	CHECK(psp_rx_assoc(ctx, 3, 0, 0, &key, NULL) == -EIO);
	CHECK(check_wiped(&key, sizeof(key)));
	CHECK(!check_finds(fake.recv_at, fake.recv_len, FAKE_KEY));
	bad_rx_answer(true, 16);
	fake_fail(ENOBUFS);
	CHECK(psp_rx_assoc(ctx, 3, 0, 0, &key, NULL) == -ENOBUFS);
	CHECK(check_wiped(&key, sizeof(key)));
	CHECK(!check_finds(fake.recv_at, fake.recv_len, FAKE_KEY));
	fake_error(0);
	CHECK(psp_rx_assoc(ctx, 3, 0, 0, &key, NULL) == -EPROTO);
	psp_close(ctx);
}

/* The request is on the stack of a function that has returned: what is there
 * is still as it was left, if nothing else is called
 */
static void tx_key(void)
{
#ifndef __SANITIZE_ADDRESS__
	struct psp_key key = { .spi = 1, .len = 32 };
	struct psp_ctx *ctx;
	bool left, sent;

	memset(key.key, FAKE_KEY, sizeof(key.key));
	fake_reset();
	ctx = open_it();
	psp_tx_assoc(ctx, 3, 1, 0, &key);
	left = check_finds(fake.req_at, 128, FAKE_KEY);
	sent = check_finds(fake.req.buf, 128, FAKE_KEY);
	CHECK(sent && !left);
	refuse(-EBUSY, NULL, 0, 0, 0);
	CHECK(psp_tx_assoc(ctx, 3, 1, 0, &key) == -EBUSY);
	psp_tx_assoc(ctx, 3, 1, 0, &key);
	left = check_finds(fake.req_at, 128, FAKE_KEY);
	CHECK(!left);
	key.len = 33;
	CHECK(psp_tx_assoc(ctx, 3, 1, 0, &key) == -EINVAL);
	psp_close(ctx);
#endif
}

/* One entry of a dump, and the end */
static void dump_part(uint32_t id, uint16_t flags)
{
	struct nlmsghdr *nlh = fake_msg(FAKE_FAMILY, PSP_CMD_DEV_GET);

	nlh->nlmsg_flags = NLM_F_MULTI | flags;
	mnl_attr_put_u32(nlh, PSP_A_DEV_ID, id);
	fake_done();
	fake_end(0);
}

static void dumps_that_change(void)
{
	struct psp_dev *devs;
	struct psp_ctx *ctx;
	int i;

	fake_reset();
	ctx = open_it();
	dump_part(3, NLM_F_DUMP_INTR);
	dump_part(4, 0);
	CHECK_OR_DIE(!psp_dev_dump(ctx, &devs));
	CHECK(devs->id == 4 && !devs->next);
	psp_dev_free(devs);

	for (i = 0; i < 20; i++)
		dump_part(3, NLM_F_DUMP_INTR);
	CHECK(psp_dev_dump(ctx, &devs) == -EAGAIN && !devs);
	CHECK(strstr(psp_strerror(-EAGAIN), "changed"));

	/* A kernel that says so itself is not asked again */
	fake.pos = fake.num;
	fake_end(-EAGAIN);
	dump_part(3, 0);
	CHECK(psp_dev_dump(ctx, &devs) == -EAGAIN && !devs);
	CHECK_STR(strerror(EAGAIN), psp_strerror(-EAGAIN));
	psp_close(ctx);
}

static void dumps_that_fail(void)
{
	struct psp_assoc *assocs;
	struct psp_ctx *ctx;

	fake_reset();
	ctx = open_it();
	dump_part(3, 0);
	CHECK(psp_assoc_dump(ctx, 0, 0, &assocs) == -EPROTO && !assocs);
	fake_end(-EMSGSIZE);
	CHECK(psp_assoc_dump(ctx, 0, 0, &assocs) == -EMSGSIZE && !assocs);
	fake.refuse = EPERM;
	fake.pos = fake.num;
	CHECK(psp_assoc_dump(ctx, 0, 0, &assocs) == -EPERM && !assocs);
	CHECK_STR("Operation not permitted", psp_strerror(-EPERM));
	psp_close(ctx);
}

/* What comes from elsewhere, or belongs to an earlier request */
static void not_for_us(void)
{
	struct psp_dev *dev;
	struct psp_ctx *ctx;

	fake_reset();
	ctx = open_it();
	fake_error(-EIO);
	fake_last()->from = 1234;
	fake_error(-EIO);
	fake_last()->nlh.nlmsg_seq = 77;
	fake_last()->keep_seq = true;
	fake_fail(EINTR);
	dump_part(3, 0);
	CHECK(!psp_dev_get(ctx, 3, &dev) && dev->id == 3);
	psp_dev_free(dev);
	psp_close(ctx);
}

/* Every way to cut a message off, and to turn a bit over */
static void garbled(void)
{
	struct psp_assoc *assocs;
	struct fake_gram whole;
	struct psp_ctx *ctx;
	size_t i, bits;
	int err;

	fake_reset();
	ctx = open_it();
	CHECK(!psp_assoc_dump(ctx, 0, 0, &assocs));
	psp_assoc_free(assocs);
	whole = fake.queue[1];
	bits = whole.len * 8;
	for (i = sizeof(struct nlmsghdr) * 8; i < bits; i++) {
		fake.pos = 0;
		fake.num = 1;
		fake.queue[0] = whole;
		fake.queue[0].buf[i / 8] ^= 1 << i % 8;
		fake_end(0);
		err = psp_assoc_dump(ctx, 0, 0, &assocs);
		CHECK(!err || (err == -EPROTO && !assocs));
		psp_assoc_free(assocs);
	}
	for (i = 0; i < whole.len; i++) {
		fake.pos = 0;
		fake.num = 1;
		fake.queue[0] = whole;
		fake.queue[0].nlh.nlmsg_len = i;
		fake.queue[0].len = i;
		fake_end(0);
		err = psp_assoc_dump(ctx, 0, 0, &assocs);
		CHECK(!err || (err == -EPROTO && !assocs));
		psp_assoc_free(assocs);
	}
	psp_close(ctx);
}

static void wrong_types(void)
{
	struct nlmsghdr *nlh;
	struct psp_dev *dev;
	struct psp_ctx *ctx;

	fake_reset();
	ctx = open_it();
	nlh = fake_msg(FAKE_FAMILY, PSP_CMD_DEV_GET);
	mnl_attr_put_u64(nlh, PSP_A_DEV_ID, 1);
	fake_done();
	fake_error(0);
	CHECK(psp_dev_get(ctx, 1, &dev) == -EPROTO && !dev);
	CHECK(strstr(psp_strerror(-EPROTO), "malformed"));
	nlh = fake_msg(FAKE_FAMILY, PSP_CMD_DEV_GET);
	mnl_attr_put_u32(nlh, PSP_A_DEV_IFINDEX, 1);
	fake_done();
	fake_error(0);
	CHECK(psp_dev_get(ctx, 1, &dev) == -EPROTO && !dev);
	CHECK(strstr(psp_strerror(-EPROTO), "left out"));
	psp_close(ctx);
}

static void *ask_often(void *data)
{
	struct psp_ctx *ctx = data;
	struct psp_dev *dev;
	char *text = NULL;
	int i;

	for (i = 0; i < 500; i++) {
		if (psp_dev_get(ctx, i & 1 ? 7 : 1, &dev))
			return "failed";
		if (dev->id != (i & 1 ? 7 : 1))
			text = "of another request";
		psp_dev_free(dev);
		if (psp_dev_get(ctx, 5, &dev) != -ENODEV ||
		    strcmp(psp_strerror(-ENODEV), "No such PSP device"))
			text = "wrong error";
	}
	return text;
}

static void threads(void)
{
	pthread_t thread[4];
	struct psp_ctx *ctx;
	void *text;
	int i;

	fake_reset();
	ctx = open_it();
	for (i = 0; i < 4; i++)
		CHECK(!pthread_create(&thread[i], NULL, ask_often, ctx));
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], &text);
		CHECK(!text);
	}
	psp_close(ctx);
}

static void versions(void)
{
	CHECK(psp_version_parse("hdr0-aes-gcm-256") == PSP_AES_GCM_256);
	CHECK(psp_version_parse("aes-gmac-128") == PSP_AES_GMAC_128);
	CHECK(psp_version_parse("aes-gcm") == -EINVAL);
	CHECK(psp_version_parse("") == -EINVAL);
	CHECK_STR("hdr0-aes-gmac-256", psp_version_name(PSP_AES_GMAC_256));
	CHECK(!psp_version_name(4) && !psp_version_key_len(4));
	CHECK(psp_version_key_len(PSP_AES_GCM_256) == 32);
}

static const struct check_case cases[] = {
	CASE(no_psp),
	CASE(mainline),
	CASE(devices),
	CASE(own_nsid),
	CASE(counters),
	CASE(sockets),
	CASE(refusals),
	CASE(rx_key),
	CASE(rx_key_of_bad_answers),
	CASE(tx_key),
	CASE(dumps_that_change),
	CASE(dumps_that_fail),
	CASE(not_for_us),
	CASE(garbled),
	CASE(wrong_types),
	CASE(threads),
	CASE(versions),
};

int main(void)
{
	return check_all(cases, ARRAY_SIZE(cases));
}
