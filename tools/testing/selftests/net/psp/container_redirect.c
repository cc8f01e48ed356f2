// SPDX-License-Identifier: GPL-2.0
/* BPF at the host: programs that lead packets between container and port */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container.h"

#define CONTAINER_BPF	"/sys/fs/bpf/psp_container"

#define INSN_MOV(dst, val)						\
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (dst), .imm = (val) }
#define INSN_MOV_REG(dst, src)						\
	{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (dst),	\
	  .src_reg = (src) }
#define INSN_LOAD(size, offs)						\
	{ .code = BPF_LD | BPF_ABS | (size), .imm = (offs) }
#define INSN_IF(val, skip)						\
	{ .code = BPF_JMP32 | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0,	\
	  .off = (skip), .imm = (val) }
#define INSN_IF_NOT(val, skip)						\
	{ .code = BPF_JMP32 | BPF_JNE | BPF_K, .dst_reg = BPF_REG_0,	\
	  .off = (skip), .imm = (val) }
#define INSN_SKIP(num)							\
	{ .code = BPF_JMP | BPF_JA, .off = (num) }
#define INSN_CALL(func)							\
	{ .code = BPF_JMP | BPF_CALL, .imm = (func) }
#define INSN_EXIT							\
	{ .code = BPF_JMP | BPF_EXIT }

static int container_bpf_load_type(uint32_t type, const struct bpf_insn *insns,
				   unsigned int num)
{
	union bpf_attr load = {
		.prog_type = type,
		.insns = (uintptr_t)insns,
		.insn_cnt = num,
		.license = (uintptr_t)"GPL",
	};
	union bpf_attr pin = { .pathname = (uintptr_t)CONTAINER_BPF };
	int prog, err = 0;

	prog = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (prog < 0)
		return -errno;
	unlink(CONTAINER_BPF);
	pin.bpf_fd = prog;
	if (syscall(SYS_bpf, BPF_OBJ_PIN, &pin, sizeof(pin)))
		err = -errno;
	close(prog);
	return err;
}

static int container_bpf_load(const struct bpf_insn *insns, unsigned int num)
{
	return container_bpf_load_type(BPF_PROG_TYPE_SCHED_CLS, insns, num);
}

/* Run the program for all that enters @ifname */
static int container_bpf_attach(const struct container *c, const char *ifname)
{
	int err;

	err = psp_sh(c->net.a.ns,
		     "set -e; tc qdisc add dev %s clsact;"
		     "tc filter add dev %s ingress bpf direct-action object-pinned "
		     CONTAINER_BPF, ifname, ifname) ? -EIO : 0;
	unlink(CONTAINER_BPF);
	return err;
}

/* What the container sends leaves by the port, whatever the routes say */
static int container_bpf_out(const struct container *c)
{
	const struct bpf_insn insns[] = {
		INSN_MOV(BPF_REG_1, c->net.a.ifindex),
		INSN_MOV(BPF_REG_2, 0),
		INSN_MOV(BPF_REG_3, 0),
		INSN_MOV(BPF_REG_4, 0),
		INSN_CALL(BPF_FUNC_redirect_neigh),
		INSN_EXIT,
	};
	int err = container_bpf_load(insns, sizeof(insns) / sizeof(*insns));

	return err ? err : container_bpf_attach(c, "host0");
}

/* What the port receives for 10.1.0.2 and fd01::/32 goes into the container */
static int container_bpf_in(const struct container *c)
{
	const struct bpf_insn insns[] = {
		INSN_MOV_REG(BPF_REG_6, BPF_REG_1),
		INSN_LOAD(BPF_H, 12),		/* Ethernet: protocol */
		INSN_IF_NOT(0x0800, 3),
		INSN_LOAD(BPF_W, 30),		/* IPv4: destination */
		INSN_IF_NOT(0x0a010002, 4),
		INSN_SKIP(5),
		INSN_IF_NOT(0x86dd, 2),
		INSN_LOAD(BPF_W, 38),		/* IPv6: destination */
		INSN_IF(0xfd010000, 2),
		INSN_MOV(BPF_REG_0, -1),	/* TC_ACT_UNSPEC */
		INSN_EXIT,
		INSN_MOV(BPF_REG_1, c->host_ifindex),
		INSN_MOV(BPF_REG_2, 0),
		INSN_CALL(BPF_FUNC_redirect_peer),
		INSN_EXIT,
	};
	int err = container_bpf_load(insns, sizeof(insns) / sizeof(*insns));

	return err ? err : container_bpf_attach(c, c->net.a.ifname);
}

int container_redirect(struct container *c)
{
	int err = container_bpf_out(c);

	return err ? err : container_bpf_in(c);
}

int container_mislead(struct container *c, const char *from, int to)
{
	const struct bpf_insn insns[] = {
		INSN_MOV(BPF_REG_1, to),
		INSN_MOV(BPF_REG_2, 0),
		INSN_CALL(BPF_FUNC_redirect_peer),
		INSN_EXIT,
	};
	int err = container_bpf_load(insns, sizeof(insns) / sizeof(*insns));

	return err ? err : container_bpf_attach(c, from);
}

int container_xdp(struct container *c, bool on)
{
	const struct bpf_insn insns[] = {
		INSN_MOV(BPF_REG_0, XDP_PASS),
		INSN_EXIT,
	};
	int err;

	if (!on)
		return psp_sh(c->net.a.ns, "ip link set host0 xdpgeneric off") ?
		       -EIO : 0;

	err = container_bpf_load_type(BPF_PROG_TYPE_XDP, insns,
				      sizeof(insns) / sizeof(*insns));
	if (!err && psp_sh(c->net.a.ns,
			   "ip link set host0 xdpgeneric pinned "
			   CONTAINER_BPF))
		err = -EIO;
	unlink(CONTAINER_BPF);
	return err;
}
