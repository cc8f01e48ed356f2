// SPDX-License-Identifier: GPL-2.0
/* Rings, channels, interrupt moderation and offloads, as ethtool sets them */
#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>

#include "psp_tune.h"
#include "psp_wire.h"

/* Of all the headers of the requests below */
#define PSP_TUNE_HEADER		1

/* Ask the controller for the id of ethtool's family */
static int psp_tune_family(struct psp_nl *nl)
{
	const struct nlattr *attr;
	struct nlmsghdr *nlh;
	int err;

	nl->family = GENL_ID_CTRL;
	nlh = psp_nl_start(nl, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME);
	err = psp_nl_do(nl);
	if (err)
		return err;

	attr = psp_nl_reply_attr(nl, CTRL_ATTR_FAMILY_ID);
	return attr ? mnl_attr_get_u16(attr) : -EPROTO;
}

/* The end's socket speaks another family from here to psp_tune_do() */
static struct nlmsghdr *psp_tune_start(struct psp_end *end, uint8_t cmd)
{
	uint16_t own = end->nl.family;
	struct nlmsghdr *nlh;
	struct nlattr *nest;
	int family;

	family = psp_tune_family(&end->nl);
	end->nl.family = family > 0 ? family : 0;
	nlh = psp_nl_start(&end->nl, cmd);
	end->nl.family = own;

	nest = mnl_attr_nest_start(nlh, PSP_TUNE_HEADER);
	mnl_attr_put_u32(nlh, ETHTOOL_A_HEADER_DEV_INDEX, end->ifindex);
	mnl_attr_nest_end(nlh, nest);
	return nlh;
}

int psp_tune_rings(struct psp_end *end, uint32_t tx, uint32_t rx)
{
	struct nlmsghdr *nlh = psp_tune_start(end, ETHTOOL_MSG_RINGS_SET);

	mnl_attr_put_u32(nlh, ETHTOOL_A_RINGS_TX, tx);
	mnl_attr_put_u32(nlh, ETHTOOL_A_RINGS_RX, rx);
	return psp_nl_do(&end->nl);
}

int psp_tune_channels(struct psp_end *end, uint32_t combined)
{
	struct nlmsghdr *nlh = psp_tune_start(end, ETHTOOL_MSG_CHANNELS_SET);

	mnl_attr_put_u32(nlh, ETHTOOL_A_CHANNELS_COMBINED_COUNT, combined);
	return psp_nl_do(&end->nl);
}

int psp_tune_tx(struct psp_end *end, const struct psp_moder *moder)
{
	struct nlmsghdr *nlh = psp_tune_start(end, ETHTOOL_MSG_COALESCE_SET);

	mnl_attr_put_u32(nlh, ETHTOOL_A_COALESCE_TX_USECS, moder->usecs);
	mnl_attr_put_u32(nlh, ETHTOOL_A_COALESCE_TX_MAX_FRAMES, moder->frames);
	mnl_attr_put_u8(nlh, ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX,
			moder->adaptive);
	return psp_nl_do(&end->nl);
}

int psp_tune_rx(struct psp_end *end, const struct psp_moder *moder)
{
	struct nlmsghdr *nlh = psp_tune_start(end, ETHTOOL_MSG_COALESCE_SET);

	mnl_attr_put_u32(nlh, ETHTOOL_A_COALESCE_RX_USECS, moder->usecs);
	mnl_attr_put_u32(nlh, ETHTOOL_A_COALESCE_RX_MAX_FRAMES, moder->frames);
	mnl_attr_put_u8(nlh, ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX,
			moder->adaptive);
	return psp_nl_do(&end->nl);
}

int psp_tune_get_rings(struct psp_end *end, struct ethtool_ringparam *ring)
{
	*ring = (struct ethtool_ringparam) { .cmd = ETHTOOL_GRINGPARAM };
	return psp_ethtool(end, ring);
}

int psp_tune_get_channels(struct psp_end *end, struct ethtool_channels *ch)
{
	*ch = (struct ethtool_channels) { .cmd = ETHTOOL_GCHANNELS };
	return psp_ethtool(end, ch);
}

int psp_tune_get_moder(struct psp_end *end, struct ethtool_coalesce *coal)
{
	*coal = (struct ethtool_coalesce) { .cmd = ETHTOOL_GCOALESCE };
	return psp_ethtool(end, coal);
}

int psp_tune_offload(struct psp_end *end, uint32_t cmd, bool on)
{
	struct ethtool_value val = { .cmd = cmd, .data = on };

	return psp_ethtool(end, &val);
}
