# What `cmake --install` puts where.
# what an operator reads, copies and imports, on every system
set(berth_manuals docs/alerts.md docs/configuration.md docs/conflicts.md docs/octopus.md docs/operations.md
  docs/protocol.md docs/windows.md)
set(berth_examples config/examples/grafana-dashboard.json config/examples/post-to-webhook.ps1
  config/examples/prometheus-rules.yml)
set(berth_octopus octopus/templates octopus/Berth octopus/examples)

if(WIN32)
  # one folder, as the ZIP has it and the installer makes it; what is added here is also a line in
  # packaging/windows/berth.nsi
  if(TARGET berthd)
    install(TARGETS berthd RUNTIME DESTINATION .)
  endif()
  if(TARGET berth)
    install(TARGETS berth RUNTIME DESTINATION .)
  endif()
  install(FILES config/berthd.xsd LICENSE README.md CHANGELOG.md DESTINATION .)
  # not under the name of the one that is read, which lies in %ProgramData%\Berth
  install(FILES config/berthd.config DESTINATION . RENAME berthd.config.sample)
  install(FILES ${berth_manuals} DESTINATION docs)
  install(FILES ${berth_examples} DESTINATION examples)
  install(DIRECTORY ${berth_octopus} DESTINATION octopus)
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
install(DIRECTORY ${berth_octopus} DESTINATION "${CMAKE_INSTALL_DATADIR}/berth/octopus")
install(FILES README.md ${berth_manuals} DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES ${berth_examples} DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples")
install(PROGRAMS config/examples/post-to-webhook DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples")
install(FILES completions/berth.bash DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
  RENAME berth)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  install(FILES config/systemd/berthd.service DESTINATION "lib/systemd/system")
endif()
