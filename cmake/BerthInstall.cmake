# What `cmake --install` puts where.
if(WIN32)
  # one folder, as the ZIP has it and the installer makes it
  if(TARGET berthd)
    install(TARGETS berthd RUNTIME DESTINATION .)
  endif()
  if(TARGET berth)
    install(TARGETS berth RUNTIME DESTINATION .)
  endif()
  install(FILES config/berthd.config config/berthd.xsd LICENSE README.md CHANGELOG.md DESTINATION .)
  install(FILES docs/configuration.md docs/operations.md docs/protocol.md docs/windows.md DESTINATION docs)
  # what an operator runs to see whether all is as docs/windows.md says, and the client that it takes
  install(FILES scripts/windows-verify.ps1 octopus/Berth/BerthClient.ps1 DESTINATION verify)
  return()
endif()

include(GNUInstallDirs)

install(TARGETS berthd RUNTIME DESTINATION "${CMAKE_INSTALL_SBINDIR}")
install(TARGETS berth RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(FILES docs/man/berthd.8 DESTINATION "${CMAKE_INSTALL_MANDIR}/man8")
install(FILES docs/man/berth.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES docs/man/berthd.config.5 DESTINATION "${CMAKE_INSTALL_MANDIR}/man5")
install(FILES config/berthd.xsd config/berthd.config config/sample/applicationHost.config
  DESTINATION "${CMAKE_INSTALL_DATADIR}/berth")
install(FILES completions/berth.bash DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
  RENAME berth)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  install(FILES config/systemd/berthd.service DESTINATION "lib/systemd/system")
endif()
