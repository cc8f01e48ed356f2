/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Split ops: since 6.2, the one genl_info for do, dump and notifications since
 * 6.6; drop when min > 6.5.
 *
 * Kernels without them know one entry per command, with one policy for do and
 * dump, and a genl_info that does not name the family. Here main code gets the
 * newer structures under names of their own, and compat/genetlink.c, the only
 * file that sees the kernel's, translates between the two. It differs from the
 * original in this:
 *
 *  - one family a module;
 *  - do and dump of a command need the same permissions; a dump either has no
 *    policy or the policy of the do;
 *  - the attributes of a dump without a policy are looked at by the policy of
 *    the do first, so that an attribute with a bad value may be refused with
 *    another error than an attribute that nobody expects; that one has no
 *    extended ack.
 */
#ifndef _COMPAT_NET_GENETLINK_H
#define _COMPAT_NET_GENETLINK_H

#include <generated/compat-probes.h>
#include_next <net/genetlink.h>

#ifndef COMPAT_HAS_GENL_INFO_DUMP

struct psp_compat_genl_info;
struct psp_compat_genl_split_ops;

/**
 * struct psp_compat_genl_family - stands for struct genl_family
 * @name: name of the family
 * @version: version of the family
 * @netnsok: the family exists in all namespaces
 * @parallel_ops: requests may run in parallel
 * @n_split_ops: entries in @split_ops
 * @n_mcgrps: entries in @mcgrps
 * @split_ops: operations
 * @mcgrps: multicast groups
 * @module: owner
 * @native: the family as the kernel knows it; private
 */
struct psp_compat_genl_family {
	char				name[GENL_NAMSIZ];
	unsigned int			version;
	u8				netnsok:1;
	u8				parallel_ops:1;
	u8				n_split_ops;
	u8				n_mcgrps;
	const struct psp_compat_genl_split_ops *split_ops;
	const struct genl_multicast_group *mcgrps;
	struct module			*module;
	struct genl_family		native;
};

/**
 * struct psp_compat_genl_info - stands for struct genl_info
 * @snd_seq: sequence number of the request
 * @snd_portid: netlink port of the sender
 * @family: the family
 * @nlhdr: netlink header of the request, NULL for a notification
 * @genlhdr: generic netlink header
 * @attrs: attributes of the request
 * @_net: namespace
 * @user_ptr: for the family
 * @extack: extended ack
 */
struct psp_compat_genl_info {
	u32				snd_seq;
	u32				snd_portid;
	const struct psp_compat_genl_family *family;
	const struct nlmsghdr		*nlhdr;
	struct genlmsghdr		*genlhdr;
	struct nlattr			**attrs;
	possible_net_t			_net;
	void				*user_ptr[2];
	struct netlink_ext_ack		*extack;
};

typedef int (*psp_compat_genl_pre_t)(const struct psp_compat_genl_split_ops *,
				     struct sk_buff *,
				     struct psp_compat_genl_info *);
typedef int (*psp_compat_genl_do_t)(struct sk_buff *,
				    struct psp_compat_genl_info *);
typedef void (*psp_compat_genl_post_t)(const struct psp_compat_genl_split_ops *,
				       struct sk_buff *,
				       struct psp_compat_genl_info *);

/**
 * struct psp_compat_genl_split_ops - stands for struct genl_split_ops
 * @pre_doit: called before @doit
 * @doit: handler of a request, with GENL_CMD_CAP_DO in @flags
 * @post_doit: called after @doit
 * @start: called before the first @dumpit
 * @dumpit: handler of a dump, with GENL_CMD_CAP_DUMP in @flags
 * @done: called after the last @dumpit
 * @policy: policy of the attributes
 * @maxattr: highest attribute in @policy
 * @cmd: command
 * @internal_flags: for the family
 * @flags: GENL_* flags
 * @validate: must be 0
 */
struct psp_compat_genl_split_ops {
	union {
		struct {
			psp_compat_genl_pre_t	pre_doit;
			psp_compat_genl_do_t	doit;
			psp_compat_genl_post_t	post_doit;
		};
		struct {
			int (*start)(struct netlink_callback *cb);
			int (*dumpit)(struct sk_buff *skb,
				      struct netlink_callback *cb);
			int (*done)(struct netlink_callback *cb);
		};
	};
	const struct nla_policy		*policy;
	unsigned int			maxattr;
	u8				cmd;
	u8				internal_flags;
	u8				flags;
	u8				validate;
};

/* compat/genetlink.c */
int psp_compat_genl_register_family(struct psp_compat_genl_family *family);
int
psp_compat_genl_unregister_family(const struct psp_compat_genl_family *family);
const struct psp_compat_genl_info *
psp_compat_genl_info_dump(struct netlink_callback *cb);

static inline struct net *
psp_compat_genl_info_net(const struct psp_compat_genl_info *info)
{
	return read_pnet(&info->_net);
}

static inline void
psp_compat_genl_info_net_set(struct psp_compat_genl_info *info,
			     struct net *net)
{
	write_pnet(&info->_net, net);
}

/* The header of a notification is kept where a request has its pointers */
static inline void
psp_compat_genl_info_init_ntf(struct psp_compat_genl_info *info,
			      const struct psp_compat_genl_family *family,
			      u8 cmd)
{
	memset(info, 0, sizeof(*info));
	info->family = family;
	info->genlhdr = (struct genlmsghdr *)info->user_ptr;
	info->genlhdr->cmd = cmd;
}

static inline void *
psp_compat_genlmsg_iput(struct sk_buff *skb,
			const struct psp_compat_genl_info *info)
{
	return genlmsg_put(skb, info->snd_portid, info->snd_seq,
			   &info->family->native, 0, info->genlhdr->cmd);
}

static inline int
psp_compat_genlmsg_reply(struct sk_buff *skb,
			 const struct psp_compat_genl_info *info)
{
	return genlmsg_unicast(psp_compat_genl_info_net(info), skb,
			       info->snd_portid);
}

static inline int
psp_compat_genlmsg_multicast_netns(const struct psp_compat_genl_family *family,
				   struct net *net, struct sk_buff *skb,
				   u32 portid, unsigned int group, gfp_t flags)
{
	return genlmsg_multicast_netns(&family->native, net, skb, portid, group,
				       flags);
}

static inline int
psp_compat_genl_has_listeners(const struct psp_compat_genl_family *family,
			      struct net *net, unsigned int group)
{
	return genl_has_listeners(&family->native, net, group);
}

#ifndef COMPAT_GENL_NATIVE

#define genl_family psp_compat_genl_family
#define genl_info psp_compat_genl_info
#define genl_split_ops psp_compat_genl_split_ops
#define genl_register_family psp_compat_genl_register_family
#define genl_unregister_family psp_compat_genl_unregister_family
#define genl_info_dump psp_compat_genl_info_dump
#define genl_info_net psp_compat_genl_info_net
#define genl_info_net_set psp_compat_genl_info_net_set
#define genl_info_init_ntf psp_compat_genl_info_init_ntf
#define genlmsg_iput psp_compat_genlmsg_iput
#define genlmsg_reply psp_compat_genlmsg_reply
#define genlmsg_multicast_netns psp_compat_genlmsg_multicast_netns
#define genl_has_listeners psp_compat_genl_has_listeners

#endif /* COMPAT_GENL_NATIVE */

#endif /* COMPAT_HAS_GENL_INFO_DUMP */

#endif /* _COMPAT_NET_GENETLINK_H */
