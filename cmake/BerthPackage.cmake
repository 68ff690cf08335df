# Packages by CPack: a .deb on Linux, a ZIP for Windows. scripts/package runs it, and makes of the ZIP's content
# the installer and the Chocolatey package.
set(CPACK_PACKAGE_NAME berth)
set(CPACK_PACKAGE_VENDOR "The Berth authors")
# Packages must name somebody who answers for them. The project has no address of its own, and .invalid says so
# (RFC 2606): who publishes packages answers for them, and sets his own here.
set(BERTH_PACKAGE_CONTACT "The Berth authors <nobody@berth.invalid>" CACHE STRING
  "Who answers for the packages: NAME <ADDRESS>")
set(CPACK_PACKAGE_CONTACT "${BERTH_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "daemon that hands out free TCP ports of a shared server")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)

if(WIN32)
  set(CPACK_GENERATOR ZIP)
  set(CPACK_PACKAGE_FILE_NAME "berth-${PROJECT_VERSION}-windows-x64")
  set(CPACK_INCLUDE_TOPLEVEL_DIRECTORY ON)
else()
  set(CPACK_GENERATOR DEB)
  set(debian "${PROJECT_SOURCE_DIR}/packaging/debian")
  set(CPACK_SET_DESTDIR ON) # /etc and /usr: from the root, whatever the prefix
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
  set(CPACK_DEBIAN_PACKAGE_SECTION admin)
  set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser")
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
  set(CPACK_PACKAGE_DESCRIPTION
"Berth watches IIS's applicationHost.config and the TCP table of the machine,
keeps the set of free ports current in memory, and hands ports out to local
programs over a socket, with leases that belong to a key: the same key gets
the same port, however often a deployment is tried.
.
This package has the daemon berthd, the command line program berth, and the
step templates and the PowerShell module for Octopus Deploy.")
  set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${debian}/postinst;${debian}/prerm;${debian}/postrm;${debian}/conffiles")
  # manual pages and changes compressed, as Debian's policy has it
  set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/DebianStaging.cmake")
  if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    install(FILES config/berthd.config DESTINATION /etc/berth)
    install(FILES packaging/debian/copyright DESTINATION share/doc/berth)
    install(FILES CHANGELOG.md DESTINATION share/doc/berth RENAME changelog)
    configure_file(packaging/debian/changelog.in debian-changelog @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/debian-changelog" DESTINATION share/doc/berth RENAME changelog.Debian)
  endif()
endif()
include(CPack)
