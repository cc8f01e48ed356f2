/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the netlink family: psp_nl.c, psp_nl_dev.c, psp_nl_assoc_dev.c,
 * psp_nl_assoc.c, psp_nl_rekey.c, psp_nl_sock.c.
 */
#ifndef __PSP_PSP_NL_H
#define __PSP_PSP_NL_H

#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/psp.h>

/* Multicast groups, as indices into the family's table */
enum {
	PSP_NLGRP_MGMT,
	PSP_NLGRP_USE,
	PSP_NLGRP_ASSOC,
};

/* What a pre_doit leaves for the handler, as indices into genl_info.user_ptr */
enum {
	PSP_NL_PTR_DEV,
	PSP_NL_PTR_SOCKET,
};

/**
 * typedef psp_nl_put_t - puts the attributes of a device into a message
 * @msg: message, begun
 * @psd: device, registered and locked
 * @net: namespace that the message will be read in
 *
 * Return: 0 or a negative errno, -EMSGSIZE if there is no room.
 */
typedef int (*psp_nl_put_t)(struct sk_buff *msg, struct psp_dev *psd,
			    struct net *net);

extern struct genl_family psp_nl_family;
extern const struct nla_policy psp_nl_keys_policy[PSP_A_KEYS_MAX + 1];

/* psp_nl.c: devices and messages, for the handlers */
struct psp_dev *psp_nl_dev_lock(const struct genl_info *info,
				const struct nlattr *id);
struct psp_dev *psp_nl_dev_lock_owned(const struct genl_info *info,
				      const struct nlattr *id);
void psp_nl_dev_unlock(struct psp_dev *psd);

struct sk_buff *psp_nl_msg_new(const struct genl_info *info,
			       struct psp_dev *psd, psp_nl_put_t put);
int psp_nl_answer(struct genl_info *info, struct psp_dev *psd,
		  psp_nl_put_t put);
int psp_nl_dump(struct sk_buff *msg, struct netlink_callback *cb,
		psp_nl_put_t put);
int psp_nl_reply(struct sk_buff *msg, struct genl_info *info);
struct sk_buff *psp_nl_ntf_new(struct psp_dev *psd, u8 cmd, psp_nl_put_t put);
void psp_nl_ntf_send(struct psp_dev *psd, struct sk_buff *ntf,
		     unsigned int group);
void psp_nl_ntf_send_all(struct psp_dev *psd, struct sk_buff *ntf,
			 unsigned int group);
void psp_nl_ntf_put_all(struct psp_dev *psd, u8 cmd, psp_nl_put_t put,
			unsigned int group);
bool psp_nl_ntf_wanted(struct psp_dev *psd, unsigned int group);
struct net *psp_nl_dev_get_net(const struct psp_dev *psd);

/* psp_nl_dev.c: commands about devices */
int psp_nl_dev_pre_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
			struct genl_info *info);
void psp_nl_dev_post_doit(const struct genl_split_ops *ops,
			  struct sk_buff *skb, struct genl_info *info);
int psp_nl_dev_pre_doit_owned(const struct genl_split_ops *ops,
			      struct sk_buff *skb, struct genl_info *info);
int psp_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info);
int psp_nl_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int psp_nl_dev_set_doit(struct sk_buff *skb, struct genl_info *info);
int psp_nl_key_rotate_doit(struct sk_buff *skb, struct genl_info *info);
int psp_nl_get_stats_doit(struct sk_buff *skb, struct genl_info *info);
int psp_nl_get_stats_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

/* psp_nl_assoc_dev.c: commands about associated devices */
int psp_nl_assoc_dev_pre_doit(const struct genl_split_ops *ops,
			      struct sk_buff *skb, struct genl_info *info);
void psp_nl_assoc_dev_post_doit(const struct genl_split_ops *ops,
				struct sk_buff *skb, struct genl_info *info);
int psp_nl_dev_assoc_doit(struct sk_buff *skb, struct genl_info *info);
int psp_nl_dev_disassoc_doit(struct sk_buff *skb, struct genl_info *info);
int psp_nl_put_assoc_devs(struct sk_buff *msg, struct psp_dev *psd,
			  struct net *net);

/* psp_nl_assoc.c: commands about sockets */
int psp_nl_assoc_pre_doit(const struct genl_split_ops *ops,
			  struct sk_buff *skb, struct genl_info *info);
void psp_nl_assoc_post_doit(const struct genl_split_ops *ops,
			    struct sk_buff *skb, struct genl_info *info);
int psp_nl_rx_assoc_doit(struct sk_buff *skb, struct genl_info *info);
int psp_nl_tx_assoc_doit(struct sk_buff *skb, struct genl_info *info);

/* psp_nl_rekey.c: commands that mainline does not have */
int psp_nl_rekey_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int psp_nl_rekey_stats_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb);

/* psp_nl_sock.c: what is told about sockets, not in mainline either */
int psp_nl_assoc_get_start(struct netlink_callback *cb);
int psp_nl_assoc_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* __PSP_PSP_NL_H */
