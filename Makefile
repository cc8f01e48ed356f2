# SPDX-License-Identifier: GPL-2.0-only
#
# Plain targets for people and packagers; ./run is the front door that also
# fetches kernels and boots them. KDIR names the kernel to build for.

KDIR ?= /lib/modules/$(shell uname -r)/build
KSRC ?= $(KDIR)
override DESTDIR := $(if $(DESTDIR),$(abspath $(DESTDIR)))
PREFIX ?= /usr
MODPROBEDIR ?= $(PREFIX)/lib/modprobe.d
TREE := $(CURDIR)

# Where kernel-tree builds
KOUT ?= $(or $(PSP_CACHE),/var/cache/psp)/build/kernel-tree

# Without pahole the kernel's build stops at the BTF step of a module.
ifeq ($(shell command -v pahole),)
BTF := CONFIG_DEBUG_INFO_BTF_MODULES=
endif

kbuild = $(MAKE) -C $(KDIR) M=$(TREE) $(BTF)

.PHONY: all modules tools selftests install install-tools install-modprobe
.PHONY: dkms-install deb kernel-tree clean help

all: modules tools

modules:
	+$(kbuild) modules

tools:
	$(MAKE) -C tools/net/psp

# The harness and lib.mk come from a kernel source tree, named by KSRC.
selftests:
	$(MAKE) -C tools/testing/selftests/net/psp KSRC=$(KSRC)

# The kernel's build does not run depmod where it has no System.map; with DESTDIR it
# must not be run.
install: modules install-modprobe
	+$(kbuild) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=updates DEPMOD=true \
		modules_install
	$(if $(DESTDIR),,depmod -a $$($(MAKE) -s -C $(KDIR) kernelrelease))

install-modprobe:
	install -D -m 644 scripts/modprobe.conf \
		$(DESTDIR)$(MODPROBEDIR)/psp.conf

# The loader and systemd keep lists of what there is
install-tools:
	$(MAKE) -C tools/net/psp install DESTDIR=$(DESTDIR)
	$(if $(DESTDIR),,ldconfig)
	$(if $(DESTDIR),,[ ! -d /run/systemd/system ] || systemctl daemon-reload)

# What DKMS builds the modules from, in its place; and built by it, unless there is
# DESTDIR. What it had of the same version goes first. Unit tests are not for users.
VERSION = $(shell sed -n 's/^VERSION := //p' tools/net/psp/Makefile)
DKMS_DIR = $(DESTDIR)/usr/src/psp-$(VERSION)
DKMS_FILES = Makefile Kbuild compat-include/probes $(shell \
	find net drivers include compat compat-include \
		! -name '*_test*' ! -name '*.mod.c' ! -path '*/generated/*' \
		\( -name '*.[ch]' -o -name Makefile \) | sort)

dkms-install: install-modprobe
	$(if $(DESTDIR),,[ -z "$$(dkms status psp/$(VERSION))" ] || \
		dkms remove psp/$(VERSION) --all)
	$(RM) -r $(DKMS_DIR)
	for file in $(DKMS_FILES); do \
		install -D -m 644 $$file $(DKMS_DIR)/$$file || exit 1; \
	done
	install -D -m 755 -t $(DKMS_DIR)/scripts scripts/compat-probe.sh
	sed 's/#MODULE_VERSION#/$(VERSION)/' dkms.conf > $(DKMS_DIR)/dkms.conf
	$(if $(DESTDIR),,dkms install -m psp -v $(VERSION))

# Into the folder above this one, as Debian does
deb:
	dpkg-buildpackage -us -uc

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
	@echo '  install    modules into DESTDIR/lib/modules/*/updates, and a file'
	@echo '             for modprobe'
	@echo '  install-tools  user programs, library, man pages, units of systemd'
	@echo '             into DESTDIR and PREFIX (/usr)'
	@echo '  dkms-install  sources of the modules into DESTDIR/usr/src, and built'
	@echo '             by DKMS if DESTDIR is not set; and the file for modprobe'
	@echo '  deb        Debian packages, in the folder above'
	@echo '  kernel-tree  lay the sources over a copy of KSRC=<kernel source'
	@echo '             tree> and build them there; the copy is made in KOUT'
	@echo '  clean      remove what was built'
	@echo 'Tests in virtual machines, static checks, demo: ./run help'
