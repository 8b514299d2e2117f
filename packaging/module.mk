# `make install`, man pages and completions, and Debian's packages.
#
# A packager gives DESTDIR, prefix, libdir, bindir, mandir, btplugindir (see the Makefile's head).

to = $(DESTDIR)$(1)

# What the placeholders of *.in stand for.
fill_in = sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir)|' \
	-e 's|@includedir@|$(includedir)|' -e 's|@version@|$(VERSION)|'

# Man pages and completions come from help texts, docs/ and headers: nothing is said twice.
$(B)/pages: $(programs) $(wildcard packaging/*.awk) packaging/make_pages.sh $(backend_headers) \
		docs/RULES.md docs/SIMULATOR.md docs/ANALYSIS.md
	$(say) PAGES $@
	$(Q)packaging/make_pages.sh $(B) $(VERSION)

.PHONY: pages install install-backend install-programs install-pages
pages: $(B)/pages
install: install-backend install-programs install-pages

install-backend: $(libs)
	$(Q)install -d '$(call to,$(includedir))/ioasis' '$(call to,$(libdir))/pkgconfig' \
		'$(call to,$(libdir))/ioasis' '$(call to,$(libdir))/cmake/ioasis-backend'
	$(Q)install -m 644 $(backend_headers) '$(call to,$(includedir))/ioasis'
	$(Q)install -m 644 $(B)/libioasis-backend.a '$(call to,$(libdir))'
	$(Q)install -m 644 $(B)/$(backend_soname) '$(call to,$(libdir))'
	$(Q)install -m 644 $(B)/libioasis-probes.so $(B)/libioasis-call.so \
		'$(call to,$(libdir))/ioasis'
	$(Q)ln -sf $(backend_soname) '$(call to,$(libdir))/libioasis-backend.so'
	$(Q)$(fill_in) packaging/ioasis-backend.pc.in \
		> '$(call to,$(libdir))/pkgconfig/ioasis-backend.pc'
	$(Q)$(fill_in) packaging/ioasis-backend-config.cmake.in \
		> '$(call to,$(libdir))/cmake/ioasis-backend/ioasis-backend-config.cmake'
	$(Q)$(fill_in) packaging/ioasis-backend-config-version.cmake.in \
		> '$(call to,$(libdir))/cmake/ioasis-backend/ioasis-backend-config-version.cmake'

install-programs: $(programs) $(libs)
	$(Q)install -d '$(call to,$(bindir))' '$(call to,$(btplugindir))' '$(call to,$(docdir))' \
		'$(call to,$(datadir))/ioasis/scenarios' '$(call to,$(datadir))/ioasis/rules' \
		'$(call to,$(docdir))/examples'
	$(Q)install -m 755 $(B)/ioasis $(B)/ioasis-vmm $(B)/ioasis-bench '$(call to,$(bindir))'
	$(Q)install -m 644 $(B)/babeltrace2/babeltrace-plugin-ioasis.so '$(call to,$(btplugindir))'
	$(Q)install -m 644 sim/scenarios/*.yaml '$(call to,$(datadir))/ioasis/scenarios'
	$(Q)install -m 644 analysis/rules/*.dot '$(call to,$(datadir))/ioasis/rules'
	$(Q)install -m 755 analysis/scripts/*.py '$(call to,$(docdir))/examples'
	$(Q)install -m 644 docs/examples/*.c '$(call to,$(docdir))/examples'
	$(Q)install -m 644 README.md CHANGELOG.md LICENSE docs/*.md docs/*.svg '$(call to,$(docdir))'

install-pages: $(B)/pages
	$(Q)install -d '$(call to,$(mandir))/man1' '$(call to,$(mandir))/man3' \
		'$(call to,$(mandir))/man5' '$(call to,$(datadir))/bash-completion/completions' \
		'$(call to,$(datadir))/zsh/vendor-completions'
	$(Q)for section in 1 3 5; do \
		install -m 644 $(B)/pages/man$$section/* '$(call to,$(mandir))'/man$$section; done
	$(Q)install -m 644 $(B)/pages/bash/ioasis '$(call to,$(datadir))/bash-completion/completions'
	$(Q)install -m 644 $(B)/pages/zsh/_ioasis '$(call to,$(datadir))/zsh/vendor-completions'

# Debian's packages, in $(out)/deb.
.PHONY: deb
deb: deps
	$(Q)./install-packages deb
	$(Q)packaging/make_deb.sh '$(out)/deb' $(VERSION)
