// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/*
 * Attributes of messages from the kernel. Each is checked before anybody looks
 * at it; unknown ones are newer than this library, and ignored.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

static bool attr_has_len(const struct nlattr *attr, size_t len)
{
	return mnl_attr_get_payload_len(attr) == len;
}

/* libmnl's checks are about the least that a type takes; these are exact */
static bool attr_valid(const struct nlattr *attr, const struct attr_rule *rule)
{
	switch (rule->kind) {
	case ATTR_U16:
		return attr_has_len(attr, sizeof(uint16_t));
	case ATTR_U32:
		return attr_has_len(attr, sizeof(uint32_t));
	case ATTR_U64:
		return attr_has_len(attr, sizeof(uint64_t));
	case ATTR_UINT:
		return attr_has_len(attr, sizeof(uint32_t)) ||
		       attr_has_len(attr, sizeof(uint64_t));
	case ATTR_STRING:
		return !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING);
	case ATTR_FLAG:
		return !mnl_attr_validate(attr, MNL_TYPE_FLAG);
	case ATTR_NEST:
		return !mnl_attr_validate(attr, MNL_TYPE_NESTED);
	case ATTR_BINARY:
		return mnl_attr_get_payload_len(attr) <= rule->max;
	default:
		return true;
	}
}

static int attr_take(const struct nlattr **tb, const struct attr_rule *rules,
		     unsigned int num, const struct nlattr *attr)
{
	uint16_t type = mnl_attr_get_type(attr);

	if (type >= num || rules[type].kind == ATTR_IGNORE)
		return 0;
	if (!attr_valid(attr, &rules[type]))
		return err_set(-EPROTO, "Kernel sent a malformed attribute");
	tb[type] = attr;
	return 0;
}

static int attr_missing(const struct nlattr **tb,
			const struct attr_rule *rules, unsigned int num)
{
	unsigned int i;

	for (i = 0; i < num; i++)
		if (rules[i].needed && !tb[i])
			return err_set(-EPROTO, "Kernel left out an attribute");
	return 0;
}

int attr_parse(const struct nlattr **tb, const struct attr_rule *rules,
	       unsigned int num, const void *data, size_t len)
{
	const struct nlattr *attr;
	int left = len, err;

	memset(tb, 0, num * sizeof(*tb));
	for (attr = data; mnl_attr_ok(attr, left);
	     left -= MNL_ALIGN(attr->nla_len), attr = mnl_attr_next(attr)) {
		err = attr_take(tb, rules, num, attr);
		if (err)
			return err;
	}
	if (left > 0)
		return err_set(-EPROTO, "Kernel sent a truncated attribute");
	return attr_missing(tb, rules, num);
}

int attr_parse_nest(const struct nlattr **tb, const struct attr_rule *rules,
		    unsigned int num, const struct nlattr *nest)
{
	return attr_parse(tb, rules, num, mnl_attr_get_payload(nest),
			  mnl_attr_get_payload_len(nest));
}

int attr_parse_msg(const struct nlattr **tb, const struct attr_rule *rules,
		   unsigned int num, const struct nlmsghdr *nlh)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh);

	if (len < GENL_HLEN)
		return err_set(-EPROTO, "Kernel sent a truncated message");
	return attr_parse(tb, rules, num,
			  mnl_nlmsg_get_payload_offset(nlh, GENL_HLEN),
			  len - MNL_ALIGN(GENL_HLEN));
}

uint16_t attr_u16(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u16(attr) : 0;
}

uint32_t attr_u32(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : 0;
}

uint64_t attr_u64(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u64(attr) : 0;
}

uint64_t attr_uint(const struct nlattr *attr)
{
	if (!attr)
		return PSP_UNKNOWN;
	if (attr_has_len(attr, sizeof(uint64_t)))
		return mnl_attr_get_u64(attr);
	return mnl_attr_get_u32(attr);
}
