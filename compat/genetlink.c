// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split ops for kernels that have none; see compat-include/net/genetlink.h.
 *
 * The kernel is given a table with one entry per command. Its callbacks find
 * the split op again by the command and call that with a genl_info of the
 * newer kind.
 */
#define COMPAT_GENL_NATIVE

#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/sock.h>

/* What a kernel with split ops lets through a dump that has no policy */
static const struct nla_policy reject_all[] = {
	{ .type = NLA_REJECT },
	{ .type = NLA_REJECT },
};

/* The one family of this module; set as long as it is registered */
static struct psp_compat_genl_family *the_family;

/**
 * struct dump_call - what cb->data points to while a dump callback runs
 * @info: request, for genl_info_dump()
 * @native: what cb->data points to otherwise
 */
struct dump_call {
	struct psp_compat_genl_info info;
	void *native;
};

/* Flag is GENL_CMD_CAP_DO or GENL_CMD_CAP_DUMP */
static const struct psp_compat_genl_split_ops *
find_op(const struct psp_compat_genl_family *family, u8 cmd, u8 flag)
{
	unsigned int i;

	for (i = 0; i < family->n_split_ops; i++)
		if (family->split_ops[i].cmd == cmd &&
		    family->split_ops[i].flags & flag)
			return &family->split_ops[i];

	return NULL;
}

static int compat_doit(struct sk_buff *skb, struct genl_info *native)
{
	struct psp_compat_genl_info info = {
		.snd_seq	= native->snd_seq,
		.snd_portid	= native->snd_portid,
		.family		= the_family,
		.nlhdr		= native->nlhdr,
		.genlhdr	= native->genlhdr,
		.attrs		= native->attrs,
		.extack		= native->extack,
	};
	const struct psp_compat_genl_split_ops *op;
	int err;

	psp_compat_genl_info_net_set(&info, genl_info_net(native));
	op = find_op(the_family, native->genlhdr->cmd, GENL_CMD_CAP_DO);

	if (op->pre_doit) {
		err = op->pre_doit(op, skb, &info);
		if (err)
			return err;
	}
	err = op->doit(skb, &info);
	if (op->post_doit)
		op->post_doit(op, skb, &info);

	return err;
}

static const struct psp_compat_genl_split_ops *
dump_call_begin(struct netlink_callback *cb, struct dump_call *call)
{
	*call = (struct dump_call) {
		.native		= cb->data,
		.info = {
			.snd_seq	= cb->nlh->nlmsg_seq,
			.snd_portid	= NETLINK_CB(cb->skb).portid,
			.family		= the_family,
			.nlhdr		= cb->nlh,
			.genlhdr	= nlmsg_data(cb->nlh),
			.attrs		= genl_dumpit_info(cb)->attrs,
			.extack		= cb->extack,
		},
	};
	psp_compat_genl_info_net_set(&call->info, sock_net(cb->skb->sk));
	cb->data = call;

	return find_op(the_family, call->info.genlhdr->cmd, GENL_CMD_CAP_DUMP);
}

static void dump_call_end(struct netlink_callback *cb,
			  const struct dump_call *call)
{
	cb->data = call->native;
}

/**
 * psp_compat_genl_info_dump() - request that a dump callback answers
 * @cb: state of the dump
 *
 * Return: the request, valid until the callback returns.
 */
const struct psp_compat_genl_info *
psp_compat_genl_info_dump(struct netlink_callback *cb)
{
	const struct dump_call *call = cb->data;

	return &call->info;
}

static int check_dump_attrs(const struct netlink_callback *cb,
			    const struct psp_compat_genl_split_ops *op)
{
	if (op->policy)
		return 0;

	return nla_validate(nlmsg_attrdata(cb->nlh, GENL_HDRLEN),
			    nlmsg_attrlen(cb->nlh, GENL_HDRLEN),
			    ARRAY_SIZE(reject_all) - 1, reject_all,
			    cb->extack);
}

static int compat_start(struct netlink_callback *cb)
{
	const struct psp_compat_genl_split_ops *op;
	struct dump_call call;
	int err;

	op = dump_call_begin(cb, &call);
	err = check_dump_attrs(cb, op);
	if (!err && op->start)
		err = op->start(cb);
	dump_call_end(cb, &call);

	return err;
}

/* Here -EMSGSIZE would end the dump, there it means that more is to come */
static int compat_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct psp_compat_genl_split_ops *op;
	struct dump_call call;
	int err;

	op = dump_call_begin(cb, &call);
	err = op->dumpit(skb, cb);
	dump_call_end(cb, &call);

	return err == -EMSGSIZE && skb->len ? skb->len : err;
}

static int compat_done(struct netlink_callback *cb)
{
	const struct psp_compat_genl_split_ops *op;
	struct dump_call call;
	int err;

	op = dump_call_begin(cb, &call);
	err = op->done ? op->done(cb) : 0;
	dump_call_end(cb, &call);

	return err;
}

static struct genl_ops *find_native_op(struct genl_ops *ops, unsigned int n,
				       u8 cmd)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (ops[i].cmd == cmd)
			return &ops[i];

	return NULL;
}

/* A native entry holds one policy and one set of permissions */
static bool can_merge(const struct genl_ops *native,
		      const struct psp_compat_genl_split_ops *op)
{
	u8 perm = op->flags & (GENL_ADMIN_PERM | GENL_UNS_ADMIN_PERM);

	if (!native->cmd)
		return true;

	return op->flags & GENL_CMD_CAP_DUMP && native->flags == perm &&
	       (!op->policy || (op->policy == native->policy &&
				op->maxattr == native->maxattr));
}

static void merge_op(struct genl_ops *native,
		     const struct psp_compat_genl_split_ops *op)
{
	if (!native->cmd) {
		native->cmd = op->cmd;
		native->flags = op->flags &
				(GENL_ADMIN_PERM | GENL_UNS_ADMIN_PERM);
		native->policy = op->policy;
		native->maxattr = op->maxattr;
	}
	if (op->flags & GENL_CMD_CAP_DO) {
		native->doit = compat_doit;
	} else {
		native->start = compat_start;
		native->dumpit = compat_dumpit;
		native->done = compat_done;
	}
}

/* Returns the number of entries, or a negative errno */
static int merge_ops(const struct psp_compat_genl_family *family,
		     struct genl_ops *ops)
{
	const struct psp_compat_genl_split_ops *op = family->split_ops;
	const struct psp_compat_genl_split_ops *end = op + family->n_split_ops;
	struct genl_ops *native;
	unsigned int n = 0;

	for (; op < end; op++) {
		native = find_native_op(ops, n, op->cmd);
		if (!native)
			native = &ops[n++];
		if (WARN_ON(op->validate || !can_merge(native, op)))
			return -EINVAL;
		merge_op(native, op);
	}

	return n;
}

static void init_native(struct psp_compat_genl_family *family,
			const struct genl_ops *ops, unsigned int n_ops)
{
	struct genl_family *native = &family->native;

	strscpy(native->name, family->name, sizeof(native->name));
	native->version = family->version;
	native->netnsok = family->netnsok;
	native->parallel_ops = family->parallel_ops;
	native->module = family->module;
	native->ops = ops;
	native->n_ops = n_ops;
	native->mcgrps = family->mcgrps;
	native->n_mcgrps = family->n_mcgrps;
}

/**
 * psp_compat_genl_register_family() - register a family with split ops
 * @family: family; its do comes before its dump in the table
 *
 * Return: 0 or a negative errno.
 */
int psp_compat_genl_register_family(struct psp_compat_genl_family *family)
{
	struct genl_ops *ops;
	int ret;

	if (WARN_ON(the_family))
		return -EBUSY;

	ops = kcalloc(family->n_split_ops, sizeof(*ops), GFP_KERNEL);
	if (!ops)
		return -ENOMEM;

	ret = merge_ops(family, ops);
	if (ret < 0)
		goto err_free_ops;

	init_native(family, ops, ret);
	the_family = family;
	ret = genl_register_family(&family->native);
	if (ret)
		goto err_forget_family;

	return 0;

err_forget_family:
	the_family = NULL;
err_free_ops:
	kfree(ops);
	return ret;
}

/**
 * psp_compat_genl_unregister_family() - undo psp_compat_genl_register_family()
 * @family: family
 *
 * Return: 0 or a negative errno.
 */
int
psp_compat_genl_unregister_family(const struct psp_compat_genl_family *family)
{
	int err;

	err = genl_unregister_family(&family->native);
	if (err)
		return err;

	the_family = NULL;
	kfree(family->native.ops);
	return 0;
}
