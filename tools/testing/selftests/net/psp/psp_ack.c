// SPDX-License-Identifier: GPL-2.0
/* Extended acknowledgments, with attributes called by their names */
#include <errno.h>
#include <linux/psp.h>
#include <stdio.h>
#include <string.h>

#include "psp_ack.h"

struct psp_set {
	const char *name[PSP_A_STATS_MAX + 1];
	const struct psp_set *nest[PSP_A_STATS_MAX + 1];
};

static const struct psp_set psp_set_keys = {
	.name = {
		[PSP_A_KEYS_KEY] = "key",
		[PSP_A_KEYS_SPI] = "spi",
	},
};

static const struct psp_set psp_set_assoc = {
	.name = {
		[PSP_A_ASSOC_DEV_ID] = "dev-id",
		[PSP_A_ASSOC_VERSION] = "version",
		[PSP_A_ASSOC_RX_KEY] = "rx-key",
		[PSP_A_ASSOC_TX_KEY] = "tx-key",
		[PSP_A_ASSOC_SOCK_FD] = "sock-fd",
	},
	.nest = {
		[PSP_A_ASSOC_RX_KEY] = &psp_set_keys,
		[PSP_A_ASSOC_TX_KEY] = &psp_set_keys,
	},
};

static const struct psp_set psp_set_dev = {
	.name = {
		[PSP_A_DEV_ID] = "id",
		[PSP_A_DEV_IFINDEX] = "ifindex",
		[PSP_A_DEV_PSP_VERSIONS_CAP] = "psp-versions-cap",
		[PSP_A_DEV_PSP_VERSIONS_ENA] = "psp-versions-ena",
		[PSP_A_DEV_ASSOC_LIST] = "assoc-list",
		[PSP_A_DEV_NSID] = "nsid",
		[PSP_A_DEV_BY_ASSOCIATION] = "by-association",
	},
};

static const struct psp_set psp_set_stats = {
	.name = {
		[PSP_A_STATS_DEV_ID] = "dev-id",
	},
};

static const struct psp_set psp_set_rekey_stats = {
	.name = {
		[PSP_A_REKEY_STATS_DEV_ID] = "dev-id",
	},
};

static const struct psp_set psp_set_sock = {
	.name = {
		[PSP_A_SOCK_DEV_ID] = "dev-id",
		[PSP_A_SOCK_COOKIE] = "cookie",
	},
};

static const struct psp_set *psp_set_of(uint8_t cmd)
{
	switch (cmd) {
	case PSP_CMD_RX_ASSOC:
	case PSP_CMD_TX_ASSOC:
		return &psp_set_assoc;
	case PSP_CMD_GET_STATS:
		return &psp_set_stats;
	case PSP_CMD_REKEY_STATS_GET:
		return &psp_set_rekey_stats;
	case PSP_CMD_ASSOC_GET:
		return &psp_set_sock;
	default:
		return &psp_set_dev;
	}
}

static const char *psp_set_name(const struct psp_set *set, uint16_t type)
{
	if (set && type <= PSP_A_STATS_MAX && set->name[type])
		return set->name[type];
	return "?";
}

/*
 * Append to @path the names that lead to the attribute at @offs of @req,
 * seeking from @attr on, for @len bytes. Returns the set of that attribute's
 * children.
 */
static const struct psp_set *
psp_ack_walk(const void *req, uint32_t offs, const struct nlattr *attr,
	     int len, const struct psp_set *set, char *path, size_t size)
{
	uint32_t at, type;

	for (; mnl_attr_ok(attr, len);
	     len -= MNL_ALIGN(attr->nla_len), attr = mnl_attr_next(attr)) {
		at = (const char *)attr - (const char *)req;
		if (offs < at || offs >= at + attr->nla_len)
			continue;

		type = mnl_attr_get_type(attr);
		snprintf(path + strlen(path), size - strlen(path), "%s%s",
			 *path ? "." : "", psp_set_name(set, type));
		set = set && type <= PSP_A_STATS_MAX ? set->nest[type] : NULL;
		if (offs == at)
			return set;
		return psp_ack_walk(req, offs, mnl_attr_get_payload(attr),
				    mnl_attr_get_payload_len(attr), set, path,
				    size);
	}
	return NULL;
}

static const struct psp_set *psp_ack_path(const void *req, uint32_t offs,
					  char *path, size_t size)
{
	const size_t hlen = MNL_NLMSG_HDRLEN + sizeof(struct genlmsghdr);
	const struct nlmsghdr *nlh = req;
	const struct genlmsghdr *genlh = mnl_nlmsg_get_payload(nlh);
	const struct psp_set *set = psp_set_of(genlh->cmd);

	if (!offs)
		return set;
	return psp_ack_walk(req, offs, (const void *)((char *)req + hlen),
			    nlh->nlmsg_len - hlen, set, path, size);
}

static void psp_ack_attr(struct psp_ack *ack, const struct nlattr *attr)
{
	switch (mnl_attr_get_type(attr)) {
	case NLMSGERR_ATTR_MSG:
		snprintf(ack->msg, sizeof(ack->msg), "%.*s",
			 mnl_attr_get_payload_len(attr),
			 mnl_attr_get_str(attr));
		break;
	case NLMSGERR_ATTR_OFFS:
		ack->bad_offs = mnl_attr_get_u32(attr);
		break;
	case NLMSGERR_ATTR_MISS_TYPE:
		ack->miss_type = mnl_attr_get_u32(attr);
		break;
	case NLMSGERR_ATTR_MISS_NEST:
		ack->miss_nest = mnl_attr_get_u32(attr);
		break;
	}
}

static void psp_ack_names(struct psp_ack *ack, const void *req)
{
	const struct psp_set *set;
	size_t len;

	if (ack->bad_offs)
		psp_ack_path(req, ack->bad_offs, ack->bad, sizeof(ack->bad));
	if (!ack->miss_type)
		return;

	set = psp_ack_path(req, ack->miss_nest, ack->miss, sizeof(ack->miss));
	len = strlen(ack->miss);
	snprintf(ack->miss + len, sizeof(ack->miss) - len, "%s%s",
		 len ? "." : "", psp_set_name(set, ack->miss_type));
}

void psp_ack_parse(struct psp_ack *ack, const struct nlmsghdr *nlh,
		   const void *req)
{
	const struct nlattr *attr;
	const int *err;
	size_t hlen;

	memset(ack, 0, sizeof(*ack));
	err = mnl_nlmsg_get_payload(nlh);
	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(*err))
		ack->err = *err;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;

	/* The request's header comes behind an error only */
	hlen = sizeof(*err);
	if (nlh->nlmsg_type == NLMSG_ERROR)
		hlen = sizeof(struct nlmsgerr);
	mnl_attr_for_each(attr, nlh, hlen)
		psp_ack_attr(ack, attr);
	psp_ack_names(ack, req);
}

bool psp_ack_has_reason(const struct psp_ack *ack)
{
	switch (-ack->err) {
	case EPERM:
	case ENODEV:
	case ENOENT:
	case EBADF:
	case ENOTSOCK:
		return true;
	default:
		return *ack->msg || *ack->bad || *ack->miss;
	}
}
