# `make package`: a .deb of each tool, by the components that the install rules name.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR awl)
set(CPACK_PACKAGE_CONTACT "The awl developers <awl@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Tracing of the kernel and of applications with eBPF")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL awl awl-run)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENT_AWL_DESCRIPTION
  "Compiles scripts in bpftrace's language to BPF objects and runs them: one static program.")
set(CPACK_COMPONENT_AWL-RUN_DESCRIPTION
  "Runs the BPF objects that awl builds: one static program, no compiler in it.")
set(CPACK_DEBIAN_AWL_PACKAGE_NAME awl)
set(CPACK_DEBIAN_AWL-RUN_PACKAGE_NAME awl-run)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)  # finds none: test/packages/check looks that it stays so
include(CPack)
