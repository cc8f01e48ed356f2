# SPDX-License-Identifier: GPL-2.0-only
#
# Plain targets for people and packagers; ./run is the front door that also
# fetches kernels and boots them. KDIR names the kernel to build for.

KDIR ?= /lib/modules/$(shell uname -r)/build
KSRC ?= $(KDIR)
DESTDIR ?=
TREE := $(CURDIR)

# Where kernel-tree builds
KOUT ?= $(or $(PSP_CACHE),/var/cache/psp)/build/kernel-tree

# Without pahole the kernel's build stops at the BTF step of a module.
ifeq ($(shell command -v pahole),)
BTF := CONFIG_DEBUG_INFO_BTF_MODULES=
endif

kbuild = $(MAKE) -C $(KDIR) M=$(TREE) $(BTF)

.PHONY: all modules tools selftests install install-tools kernel-tree clean help

all: modules tools

modules:
	+$(kbuild) modules

tools:
	$(MAKE) -C tools/net/psp

# The harness and lib.mk come from a kernel source tree, named by KSRC.
selftests:
	$(MAKE) -C tools/testing/selftests/net/psp KSRC=$(KSRC)

install: modules
	+$(kbuild) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=updates \
		modules_install

install-tools:
	$(MAKE) -C tools/net/psp install DESTDIR=$(DESTDIR)

# KSRC names a kernel source tree here, which is only read.
kernel-tree:
	+scripts/kernel-tree.sh $(KSRC) $(KOUT)

# There may be no kernel to build for: then nothing was built for one
clean:
	$(MAKE) -C tools/net/psp clean
	$(if $(wildcard $(KDIR)/Makefile),+$(kbuild) clean)
	$(RM) -r compat-include/generated

help:
	@echo 'make [KDIR=<kernel build folder>] <target>'
	@echo '  modules    psp.ko and psp_ref.ko (default, with tools)'
	@echo '  tools      user programs'
	@echo '  selftests  test programs; KSRC=<kernel source tree>'
	@echo '  install    modules into DESTDIR/lib/modules/*/updates'
	@echo '  install-tools  user programs, library, man pages into DESTDIR and'
	@echo '             PREFIX (/usr)'
	@echo '  kernel-tree  lay the sources over a copy of KSRC=<kernel source'
	@echo '             tree> and build them there; the copy is made in KOUT'
	@echo '  clean      remove what was built'
	@echo 'Tests in virtual machines, static checks, demo: ./run help'
